// Depthwise convolutions on 8-bit integers, 8 channels at a time, on processors with AVX2.
//
// Two places of the window are joined to pairs of 16-bit integers for vpmaddwd. The rows that a block of output rows
// needs are copied with their margin first, so that every window is at fixed distances from one address and no channel
// is missing.
#include "Int8.h"

#pragma STDC FP_CONTRACT OFF

#ifdef RK_INT8_AVX2

enum { block_bytes = 48 << 10 };

typedef struct {
  const rk_int8_convolution *p;
  rk_int8_layout layout;
  int64_t channels;      // rounded up
  int64_t columns, row;  // of the copied rows: pixels and bytes
  int64_t rows;          // output rows of a block
  int64_t picture, total;  // bytes of scratch: the copied rows, and with them the distances of the places
} job;

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .layout = rk_int8_layout_of(p)};
  int64_t reach = (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  job.channels = job.layout.panels * RK_LANES;
  job.columns = (p->out_width - 1) * p->stride_width + (int64_t)(p->kernel_width - 1) * p->dilation_width + 1;
  job.row = job.columns * job.channels;
  job.rows = (block_bytes / job.row - reach) / p->stride_height + 1;
  if (job.rows < 1) job.rows = 1;
  job.rows = rk_smaller(job.rows, p->out_height);
  job.picture = rk_aligned(((job.rows - 1) * p->stride_height + reach) * job.row);
  job.total = job.picture + rk_aligned(job.layout.pairs * 2 * (int64_t)sizeof(int64_t));
  return job;
}

// What the output rows from `from` to `to` of an image need.
static void copy_rows(const job *job, int64_t image, int64_t from, int64_t to, uint8_t *picture) {
  const rk_int8_convolution *p = job->p;
  int64_t top = from * p->stride_height - p->pad_top;
  int64_t count = (to - from - 1) * p->stride_height + (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t left = rk_smaller(p->pad_left, job->columns), inside = rk_smaller(p->width, job->columns - left);
  for (int64_t i = 0; i < count; i++) {
    uint8_t *target = picture + i * job->row;
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

RK_AVX2 RK_INLINE __m128i load8(const uint8_t *x) { return _mm_loadl_epi64((const void *)x); }

RK_AVX2 RK_INLINE __m256i pairs(__m128i a, __m128i b) { return _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)); }

// 8 results, already between the bounds.
RK_AVX2 RK_INLINE __m128i as_bytes(__m256 v, int32_t zero) {
  __m256i integers = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(zero));
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
  return _mm_packus_epi16(words, words);
}

// 8 channels of some output rows. `is_3x3`: without holes.
RK_AVX2 RK_INLINE void run_block(const job *job, const uint8_t *picture, const int64_t *distances, int64_t image,
                                 int64_t from, int64_t to, int64_t block, const int is_3x3) {
  // What is read here is not read again below: a byte that is written could be any of it.
  const rk_int8_convolution *p = job->p;
  int64_t channel = block * RK_LANES, lanes = rk_smaller(RK_LANES, p->channels - channel);
  const int16_t *weights = (const int16_t *)p->weights + block * job->layout.pairs * RK_LANES * 2;
  int32_t biases[RK_LANES] = {0};
  float factors[RK_LANES] = {0};
  memcpy(biases, p->bias + channel, lanes * sizeof(int32_t));
  memcpy(factors, p->scales + channel, lanes * sizeof(float));
  __m256i bias = _mm256_loadu_si256((const void *)biases), w[5];
  for (int i = 0; i < 5; i++) w[i] = _mm256_loadu_si256((const void *)(weights + (is_3x3 ? i * RK_LANES * 2 : 0)));
  __m256 scales = _mm256_loadu_ps(factors);
  rk_int8_bounds bounds = rk_int8_bounds_of(p->y_zero, p->low, p->high);
  rk_int8_bounds sum_bounds = rk_int8_bounds_of(p->sum_zero, p->sum_low, p->sum_high);
  __m256 q_factor = _mm256_set1_ps(p->q_factor), r_factor = _mm256_set1_ps(p->r_factor);
  __m256i r_zero = _mm256_set1_epi32(p->r_zero);
  uint8_t *y = p->y;
  float *y_real = p->y_real;
  const uint8_t *residual = p->residual;
  int64_t pixel = job->channels, row = job->row, step = p->stride_width * pixel, pairs_count = job->layout.pairs;
  int64_t width = p->out_width, channels = p->channels;

  for (int64_t i = from; i < to; i++) {
    const uint8_t *x = picture + (i - from) * p->stride_height * row + channel;
    int64_t index = (image * p->out_height + i) * width * channels + channel;
    for (int64_t j = 0; j < width; j++, x += step, index += channels) {
      __m256i sum = bias;
      if (is_3x3) {
        const uint8_t *x1 = x + row, *x2 = x1 + row;
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs(load8(x), load8(x + pixel)), w[0]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs(load8(x + 2 * pixel), load8(x1)), w[1]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs(load8(x1 + pixel), load8(x1 + 2 * pixel)), w[2]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs(load8(x2), load8(x2 + pixel)), w[3]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepu8_epi32(load8(x2 + 2 * pixel)), w[4]));
      } else {
        for (int64_t k = 0; k < pairs_count; k++) {
          __m256i both = pairs(load8(x + distances[2 * k]), load8(x + distances[2 * k + 1]));
          sum = _mm256_add_epi32(sum, _mm256_madd_epi16(both, _mm256_loadu_si256((const void *)(weights + k * RK_LANES * 2))));
        }
      }
      __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scales);
      if (!y) {
        float real[RK_LANES];
        _mm256_storeu_ps(real, v);
        memcpy(y_real + index, real, lanes * sizeof(float));
        continue;
      }
      v = rk_int8_clamped(v, bounds);
      int32_t zero = bounds.zero;
      if (residual) {
        uint8_t bytes[RK_LANES] = {0};
        memcpy(bytes, residual + index, lanes);
        v = rk_int8_clamped(rk_int8_sum(v, q_factor, load8(bytes), r_zero, r_factor), sum_bounds);
        zero = sum_bounds.zero;
      }
      __m128i q = as_bytes(v, zero);
      if (lanes == RK_LANES) {
        _mm_storel_epi64((void *)(y + index), q);
      } else {
        uint8_t bytes[RK_LANES];
        _mm_storel_epi64((void *)bytes, q);
        memcpy(y + index, bytes, lanes);
      }
    }
  }
}

RK_AVX2 static void depthwise(void *context) {
  const job *job = context;
  const rk_int8_convolution *p = job->p;
  uint8_t *picture = (uint8_t *)rk_aligned((intptr_t)p->scratch) + omp_get_thread_num() * job->total;
  int64_t *distances = (void *)(picture + job->picture);
  int64_t places = job->layout.places;
  for (int64_t i = 0; i < 2 * job->layout.pairs; i++) {
    int64_t place = rk_smaller(i, places - 1);
    distances[i] = place / p->kernel_width * p->dilation_height * job->row +
                   place % p->kernel_width * p->dilation_width * job->channels;
  }
  int is_3x3 = p->kernel_height == 3 && p->kernel_width == 3 && p->dilation_height == 1 && p->dilation_width == 1;
  rk_range share = rk_share(p->batch * p->out_height, 1);
  while (share.from < share.to) {
    int64_t image = share.from / p->out_height, from = share.from % p->out_height;
    int64_t to = rk_smaller(rk_smaller(from + job->rows, p->out_height), from + share.to - share.from);
    copy_rows(job, image, from, to, picture);
    for (int64_t block = 0; block < job->layout.panels; block++) {
      if (is_3x3) run_block(job, picture, distances, image, from, to, block, 1);
      else run_block(job, picture, distances, image, from, to, block, 0);
    }
    share.from += to - from;
  }
}

int64_t rk_int8_depthwise_scratch(const rk_int8_convolution *p) { return job_of(p).total; }

void rk_int8_depthwise_avx2(const rk_int8_convolution *p) {
  job job = job_of(p);
  GOMP_parallel(depthwise, &job, 0, 0);
}

#endif
