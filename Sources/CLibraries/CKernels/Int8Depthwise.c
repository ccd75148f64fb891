// Depthwise convolutions on 8-bit integers, 32 channels at a time, on processors with AVX2.
//
// Two places of the window are joined to pairs of 16-bit integers for vpmaddwd. The rows that a block of output rows
// needs are copied with their margin first, so that every window is at fixed distances from one address and no channel
// is missing.
//
// Weights are 16-bit integers, [block of 32 channels][pair of places][channel][place], channels in the order of
// lane_of.
#include "Int8.h"

#ifdef RK_X86

enum { block_bytes = 24 << 10, per_block = 32 };

typedef struct {
  const rk_int8_convolution *p;
  int64_t places, pairs;  // of the window
  int64_t channels;       // rounded up
  int64_t columns, row;   // of the copied rows: pixels and bytes
  int64_t rows;           // output rows of a block
  // Bytes of scratch: the copied rows, the distances of the places; and bias and scales as the sums have them.
  int64_t padded, distances, values, total;
} job;

// Where a block has its channel c: in the order that bytes take when vpunpck widens them twice.
static int64_t lane_of(int64_t c) { return c % 16 / 4 * 8 + c / 16 * 4 + c % 4; }

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .places = (int64_t)p->kernel_height * p->kernel_width};
  job.pairs = rk_quotient(job.places, 2);
  int64_t reach = (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  job.channels = rk_quotient(p->channels, per_block) * per_block;
  job.columns = (p->out_width - 1) * p->stride_width + (int64_t)(p->kernel_width - 1) * p->dilation_width + 1;
  job.row = job.columns * job.channels;
  job.rows = (block_bytes / job.row - reach) / p->stride_height + 1;
  if (job.rows < 1) job.rows = 1;
  job.rows = rk_smaller(job.rows, p->out_height);
  job.padded = rk_aligned(((job.rows - 1) * p->stride_height + reach) * job.row);
  job.distances = rk_aligned(job.pairs * 2 * (int64_t)sizeof(int64_t));
  job.values = job.channels * (int64_t)sizeof(int32_t);
  job.total = job.padded + job.distances + 2 * job.values;
  return job;
}

// What the output rows from `from` to `to` of an image need.
static void copy_rows(const job *job, int64_t image, int64_t from, int64_t to, uint8_t *padded) {
  const rk_int8_convolution *p = job->p;
  int64_t top = from * p->stride_height - p->pad_top;
  int64_t count = (to - from - 1) * p->stride_height + (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t left = rk_smaller(p->pad_left, job->columns), inside = rk_smaller(p->width, job->columns - left);
  for (int64_t i = 0; i < count; i++) {
    uint8_t *target = padded + i * job->row;
    if (top + i < 0 || top + i >= p->height) {
      memset(target, p->zero, job->row);
      continue;
    }
    const uint8_t *source = p->x + (image * p->height + top + i) * p->width * p->channels;
    memset(target, p->zero, left * job->channels);
    target += left * job->channels;
    if (p->channels == job->channels) {
      memcpy(target, source, inside * p->channels);
    } else {
      for (int64_t x = 0; x < inside; x++) memcpy(target + x * job->channels, source + x * p->channels, p->channels);
    }
    memset(target + inside * job->channels, p->zero, (job->columns - left - inside) * job->channels);
  }
}

RK_AVX2 RK_INLINE __m256i load(const uint8_t *x) { return _mm256_loadu_si256((const void *)x); }

// Adds the products of two places of 32 channels.
RK_AVX2 RK_INLINE void add_pair(__m256i sum[4], __m256i x, __m256i other, const int16_t *w) {
  const __m256i zero = _mm256_setzero_si256(), *weights = (const void *)w;
  __m256i low = _mm256_unpacklo_epi8(x, other), high = _mm256_unpackhi_epi8(x, other);
  __m256i pairs[4] = {_mm256_unpacklo_epi8(low, zero), _mm256_unpackhi_epi8(low, zero),
                      _mm256_unpacklo_epi8(high, zero), _mm256_unpackhi_epi8(high, zero)};
  for (int i = 0; i < 4; i++) {
    sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs[i], _mm256_loadu_si256(weights + i)));
  }
}

// Some output rows. `is_3x3`: without holes.
RK_AVX2 RK_INLINE void run_rows(const job *job, const uint8_t *padded, const int64_t *distances, const int32_t *bias,
                                const float *scales, int64_t image, int64_t from, int64_t to, const int is_3x3) {
  // What is read here is not read again below: a byte that is written could be any of it.
  const rk_int8_convolution *p = job->p;
  int64_t channels = p->channels, width = p->out_width, pairs = job->pairs;
  int64_t pixel = job->channels, row = job->row, step = p->stride_width * pixel;
  const rk_int8_addition with = rk_int8_addition_of(p);
  const __m256 greatest = _mm256_set1_ps((float)(p->high - p->y_zero));
  const __m256i zero = _mm256_set1_epi16((int16_t)p->y_zero), low = _mm256_set1_epi8((char)p->low);
  const __m256i none = _mm256_setzero_si256();
  uint8_t *y = p->y;
  float *y_real = p->y_real;
  const uint8_t *residual = p->residual;
  for (int64_t i = from; i < to; i++) {
    const uint8_t *window = padded + (i - from) * p->stride_height * row;
    int64_t start = (image * p->out_height + i) * width * channels;
    for (int64_t j = 0; j < width; j++, window += step, start += channels) {
      const int16_t *w = p->weights;
      for (int64_t c = 0; c < channels; c += per_block, w += pairs * per_block * 2) {
        int64_t lanes = rk_smaller(per_block, channels - c), index = start + c;
        const uint8_t *x = window + c;
        __m256i sum[4];
        for (int k = 0; k < 4; k++) sum[k] = _mm256_load_si256((const void *)(bias + c + k * 8));
        if (is_3x3) {
          const uint8_t *x1 = x + row, *x2 = x1 + row;
          add_pair(sum, load(x), load(x + pixel), w);
          add_pair(sum, load(x + 2 * pixel), load(x1), w + 64);
          add_pair(sum, load(x1 + pixel), load(x1 + 2 * pixel), w + 128);
          add_pair(sum, load(x2), load(x2 + pixel), w + 192);
          add_pair(sum, load(x2 + 2 * pixel), none, w + 256);
        } else {
          for (int64_t k = 0; k < pairs; k++) {
            add_pair(sum, load(x + distances[2 * k]), load(x + distances[2 * k + 1]), w + k * 64);
          }
        }
        __m256 v[4];
        for (int k = 0; k < 4; k++) {
          v[k] = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[k]), _mm256_load_ps(scales + c + k * 8));
        }
        if (!y) {
          float real[4][8];
          for (int k = 0; k < 4; k++) _mm256_storeu_ps(real[k], v[k]);
          for (int64_t k = 0; k < lanes; k++) y_real[index + k] = ((float *)real)[lane_of(k)];
          continue;
        }
        __m256i q[4];
        for (int k = 0; k < 4; k++) q[k] = _mm256_cvtps_epi32(_mm256_min_ps(v[k], greatest));
        // Packed twice, the channels are in order again.
        q[0] = rk_int8_levels(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]), zero, low);
        uint8_t bytes[per_block];
        if (residual) {
          const uint8_t *r = residual + index;
          if (lanes < per_block) r = memcpy(bytes, r, lanes);
          q[0] = rk_int8_add_residual(q[0], load(r), &with);
        }
        _mm256_storeu_si256((void *)(lanes == per_block ? y + index : bytes), q[0]);
        if (lanes < per_block) memcpy(y + index, bytes, lanes);
      }
    }
  }
}

RK_AVX2 static void convolve(void *context) {
  const job *job = context;
  const rk_int8_convolution *p = job->p;
  uint8_t *padded = (uint8_t *)rk_aligned((intptr_t)p->scratch) + omp_get_thread_num() * job->total;
  int64_t *distances = (void *)(padded + job->padded);
  int32_t *bias = (void *)(padded + job->padded + job->distances);
  float *scales = (void *)(padded + job->padded + job->distances + job->values);
  for (int64_t i = 0; i < job->channels; i++) {
    int64_t at = i / per_block * per_block + lane_of(i % per_block);
    bias[at] = i < p->channels ? p->bias[i] : 0;
    scales[at] = i < p->channels ? p->scales[i] : 0;
  }
  int64_t places = job->places;
  for (int64_t i = 0; i < 2 * job->pairs; i++) {
    int64_t place = rk_smaller(i, places - 1);
    distances[i] = place / p->kernel_width * p->dilation_height * job->row +
                   place % p->kernel_width * p->dilation_width * job->channels;
  }
  int is_3x3 = p->kernel_height == 3 && p->kernel_width == 3 && p->dilation_height == 1 && p->dilation_width == 1;
  rk_range share = rk_share(p->batch * p->out_height, 1);
  while (share.from < share.to) {
    int64_t image = share.from / p->out_height, from = share.from % p->out_height;
    int64_t to = rk_smaller(rk_smaller(from + job->rows, p->out_height), from + share.to - share.from);
    copy_rows(job, image, from, to, padded);
    if (is_3x3) run_rows(job, padded, distances, bias, scales, image, from, to, 1);
    else run_rows(job, padded, distances, bias, scales, image, from, to, 0);
    share.from += to - from;
  }
}

static int64_t packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  (void)weights;
  job job = job_of(p);
  return job.channels * job.pairs * 2 * (int64_t)sizeof(int16_t);
}

static void pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  job job = job_of(p);
  int16_t *w = packed;
  memset(packed, 0, packed_bytes(p, weights));
  for (int64_t c = 0; c < p->channels; c++) {
    for (int64_t i = 0; i < job.places; i++) {
      w[((c / per_block * job.pairs + i / 2) * per_block + lane_of(c % per_block)) * 2 + i % 2] = *weights++;
    }
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return job_of(p).total; }

static void run(const rk_int8_convolution *p) {
  job job = job_of(p);
  rk_parallel(convolve, &job);
}

const rk_int8_kernel rk_int8_depthwise = {
    "own int8 depthwise avx2", RK_HAS_AVX2, rk_int8_is_depthwise, packed_bytes, pack, scratch, run};

#endif
