// Convolutions and dense layers on 8-bit integers: exact sums, on processors with AVX2.
//
// Goals, in order: exact; nothing allocated; fast on one thread and on two; the same bytes for any number of threads.
//
// vpmaddubsw multiplies bytes and adds them in pairs, but cuts the sums at 16 bits. A pair of weights whose positive
// parts, and whose negative parts, sum to no more than 128 is never cut: 255 * 128 < 2^15. Where a pair of weights is
// larger, rk_int8_pack splits it into two halves, and the four places around it are multiplied twice. That is rare
// where the largest weight of a channel, 127, is 5 standard deviations or more; at 4 it costs a seventh, at 3 a third.
// vpmaddwd on 16-bit integers needs no such care, but takes a quarter longer: as many multiplications and twice the
// additions, for which no unit is left.
//
// A tile is 6 pixels x 16 output channels in 12 registers. The rows that a block of pixels needs are copied once with
// their margin, so that the window of a pixel is at fixed distances from one address. A block fits into the second
// cache, next to the weights of 16 channels.
#include "Int8.h"

#ifdef RK_INT8_AVX2

enum {
  tile_rows = 6,
  block_bytes = 128 << 10,  // of the picture: at most so many
  output_bytes = 32 << 10,  // of x and y: about so many, within these bounds
  least_pixels = 48, most_pixels = 480
};

typedef struct {
  const rk_int8_convolution *p;
  rk_int8_layout layout;
  int is_pointwise;        // each pixel needs one pixel
  int is_direct;           // and can be read where it is
  int64_t images, pixels;  // of an image
  int64_t row, columns;    // of the copied picture: bytes and pixels in a row
  int64_t block;           // pixels
  // The scratch of one thread, in bytes: the picture, the address of each pixel's window, the distance of each group of
  // places from there, and that of each entry of a panel.
  int64_t picture, rows, distances, entries, total;
} job;

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .layout = rk_int8_layout_of(p)};
  int64_t reach = (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  job.is_pointwise = p->kernel_height == 1 && p->kernel_width == 1 && p->pad_top == 0 && p->pad_left == 0 &&
                     (p->out_height - 1) * p->stride_height < p->height &&
                     (p->out_width - 1) * p->stride_width < p->width;
  job.is_direct = job.is_pointwise && job.layout.inputs % RK_PLACES == 0;
  job.images = job.is_pointwise ? 1 : p->batch;
  job.pixels = p->out_height * p->out_width * (job.is_pointwise ? p->batch : 1);
  job.columns = (p->out_width - 1) * p->stride_width + (int64_t)(p->kernel_width - 1) * p->dilation_width + 1;
  job.row = job.columns * p->channels;
  job.block = rk_smaller(output_bytes / (p->channels + p->out_channels), most_pixels);
  if (job.block < least_pixels) job.block = least_pixels;
  job.block = rk_smaller(job.block, rk_quotient(job.pixels, tile_rows) * tile_rows);
  if (job.is_pointwise) {
    job.block = rk_smaller(job.block, block_bytes / p->channels);
  } else {
    int64_t rows = (block_bytes / job.row - reach) / p->stride_height + 1;
    job.block = rk_smaller(job.block, (rows < 1 ? 1 : rows) * p->out_width);
  }
  job.block = job.block < tile_rows ? tile_rows : job.block - job.block % tile_rows;
  if (job.is_pointwise) {
    job.picture = job.is_direct ? 0 : job.block * p->channels;
  } else {
    // A block may begin and end within a row.
    int64_t rows = rk_smaller(p->out_height, (job.block - 2 + p->out_width) / p->out_width + 1);
    job.picture = ((rows - 1) * p->stride_height + reach) * job.row;
  }
  job.picture = rk_aligned(job.picture + RK_PLACES);  // the last places of a run may not be there
  job.rows = rk_aligned(job.block * (int64_t)sizeof(uint8_t *));
  job.distances = rk_aligned(job.layout.quads * (int64_t)sizeof(int32_t));
  job.entries = rk_aligned(2 * job.layout.quads * (int64_t)sizeof(int32_t));
  job.total = job.picture + job.rows + job.distances + job.entries;
  return job;
}

// Into how many shares the output channels are cut; pixels into threads / shares. What takes the busiest thread the
// shortest, in cycles or so.
static int64_t channel_shares(const job *job, int64_t threads) {
  int64_t best = 1;
  double least = 0;
  int64_t tiles = rk_quotient(job->images * job->pixels, tile_rows), panels = job->layout.panels * job->p->groups;
  double picture = (double)job->p->batch * job->p->height * job->p->width * job->p->channels;
  double weights = (double)panels * job->layout.quads * RK_PLACES * RK_PANEL;
  for (int64_t shares = 1; shares <= threads; shares++) {
    if (threads % shares) continue;
    double sums = (double)rk_quotient(tiles, threads / shares) * rk_quotient(panels, shares) * job->layout.quads * 13;
    double cost = sums + picture / (threads / shares) / 8 + weights / shares / 8;
    if (shares == 1 || cost < least) best = shares, least = cost;
  }
  return best;
}

// Copies what the pixels from `from` to `to` of an image need, and writes the address of each one's window.
static void prepare_block(const job *job, int64_t image, int64_t from, int64_t to, uint8_t *picture,
                          const uint8_t **rows) {
  const rk_int8_convolution *p = job->p;
  int64_t channels = p->channels;
  if (job->is_pointwise) {
    for (int64_t i = from; i < to; i++) {
      int64_t column = i % p->out_width, row = i / p->out_width % p->out_height, n = i / p->out_width / p->out_height;
      const uint8_t *x =
          p->x + ((n * p->height + row * p->stride_height) * p->width + column * p->stride_width) * channels;
      rows[i - from] = job->is_direct ? x : memcpy(picture + (i - from) * channels, x, channels);
    }
    return;
  }
  int64_t first = from / p->out_width, last = (to - 1) / p->out_width;
  int64_t top = first * p->stride_height - p->pad_top;
  int64_t count = (last - first) * p->stride_height + (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t left = rk_smaller(p->pad_left, job->columns);
  int64_t inside = rk_smaller(p->width, job->columns - left);
  for (int64_t i = 0; i < count; i++) {
    uint8_t *target = picture + i * job->row;
    if (top + i < 0 || top + i >= p->height) {
      memset(target, p->zero, job->row);
      continue;
    }
    memset(target, p->zero, left * channels);
    memcpy(target + left * channels, p->x + (image * p->height + top + i) * p->width * channels, inside * channels);
    memset(target + (left + inside) * channels, p->zero, (job->columns - left - inside) * channels);
  }
  for (int64_t i = from; i < to; i++) {
    int64_t row = i / p->out_width - first, column = i % p->out_width;
    rows[i - from] = picture + row * p->stride_height * job->row + column * p->stride_width * channels;
  }
}

static void list_distances(const job *job, int32_t *distances) {
  const rk_int8_convolution *p = job->p;
  int64_t quads = rk_quotient(job->layout.places, RK_PLACES), per_row = job->layout.runs / p->kernel_height;
  for (int64_t run = 0; run < job->layout.runs; run++) {
    int64_t start = run / per_row * p->dilation_height * job->row + run % per_row * p->dilation_width * p->channels;
    for (int64_t i = 0; i < quads; i++) *distances++ = (int32_t)(start + i * RK_PLACES);
  }
}

// 16 output channels.
typedef struct {
  const rk_int8_convolution *p;
  int32_t bias[RK_PANEL];
  float scales[RK_PANEL];
  int64_t channel, lanes;  // the first one, and how many there are
  int64_t entries;
  const int32_t *distances;  // of each entry
  const int8_t *weights;
} panel;

// 16 results, already between the bounds.
RK_AVX2 RK_INLINE __m128i as_bytes(__m256 a, __m256 b, int32_t zero) {
  __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
  words = _mm256_add_epi16(_mm256_permute4x64_epi64(words, 0xd8), _mm256_set1_epi16((int16_t)zero));
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

// Of the 16 bytes, so many are there.
RK_AVX2 RK_INLINE __m128i load_bytes(const uint8_t *x, int64_t lanes) {
  if (lanes == RK_PANEL) return _mm_loadu_si128((const void *)x);
  uint8_t bytes[RK_PANEL] = {0};
  memcpy(bytes, x, lanes);
  return _mm_loadu_si128((const void *)bytes);
}

RK_AVX2 RK_INLINE void store_bytes(uint8_t *y, int64_t lanes, __m128i v) {
  if (lanes == RK_PANEL) {
    _mm_storeu_si128((void *)y, v);
    return;
  }
  uint8_t bytes[RK_PANEL];
  _mm_storeu_si128((void *)bytes, v);
  memcpy(y, bytes, lanes);
}

RK_AVX2 RK_INLINE void finish(const panel *panel, int64_t pixel, __m256i sum[tile_rows][2], const int count) {
  // What follows is read once: a byte that is written could be any of it.
  const rk_int8_convolution *p = panel->p;
  int64_t stride = p->out_channels, index = pixel * stride + panel->channel, lanes = panel->lanes;
  __m256 scales_a = _mm256_loadu_ps(panel->scales), scales_b = _mm256_loadu_ps(panel->scales + 8);
  uint8_t *y = p->y ? p->y + index : 0;
  const uint8_t *residual = p->residual ? p->residual + index : 0;
  rk_int8_bounds bounds = rk_int8_bounds_of(p->y_zero, p->low, p->high);
  if (!p->y) {
    float *y_real = p->y_real + index;
    for (int i = 0; i < count; i++) {
      float v[RK_PANEL];
      _mm256_storeu_ps(v, _mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][0]), scales_a));
      _mm256_storeu_ps(v + 8, _mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][1]), scales_b));
      memcpy(y_real + i * stride, v, lanes * sizeof(float));
    }
  } else if (!residual) {
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
      __m256 a = rk_int8_clamped(_mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][0]), scales_a), bounds);
      __m256 b = rk_int8_clamped(_mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][1]), scales_b), bounds);
      store_bytes(y + i * stride, lanes, as_bytes(a, b, bounds.zero));
    }
  } else {
    __m256 q_factor = _mm256_set1_ps(p->q_factor), r_factor = _mm256_set1_ps(p->r_factor);
    __m256i r_zero = _mm256_set1_epi32(p->r_zero);
    rk_int8_bounds sum_bounds = rk_int8_bounds_of(p->sum_zero, p->sum_low, p->sum_high);
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
      __m128i r = load_bytes(residual + i * stride, lanes);
      __m256 a = rk_int8_clamped(_mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][0]), scales_a), bounds);
      __m256 b = rk_int8_clamped(_mm256_mul_ps(_mm256_cvtepi32_ps(sum[i][1]), scales_b), bounds);
      a = rk_int8_clamped(rk_int8_sum(a, q_factor, _mm256_cvtepu8_epi32(r), r_zero, r_factor), sum_bounds);
      b = rk_int8_clamped(
          rk_int8_sum(b, q_factor, _mm256_cvtepu8_epi32(_mm_srli_si128(r, 8)), r_zero, r_factor), sum_bounds);
      store_bytes(y + i * stride, lanes, as_bytes(a, b, sum_bounds.zero));
    }
  }
}

RK_AVX2 RK_INLINE __m256i broadcast(const uint8_t *places) {
  int32_t all;
  memcpy(&all, places, sizeof all);
  return _mm256_set1_epi32(all);
}

RK_AVX2 RK_INLINE void run_tile(const panel *panel, const uint8_t *const *rows, int64_t offset, int64_t pixel,
                                const int count) {
  __m256i sum[tile_rows][2];
  const uint8_t *row[tile_rows];
#pragma clang loop unroll(full)
  for (int i = 0; i < count; i++) {
    sum[i][0] = _mm256_loadu_si256((const void *)panel->bias);
    sum[i][1] = _mm256_loadu_si256((const void *)(panel->bias + 8));
    row[i] = rows[i] + offset;
  }
  const __m256i one = _mm256_set1_epi16(1);
  const __m256i *weights = (const void *)panel->weights;
  const int32_t *distances = panel->distances;
  for (int64_t entry = 0, entries = panel->entries; entry < entries; entry++) {
    int64_t distance = distances[entry];
    __m256i a = _mm256_loadu_si256(weights++), b = _mm256_loadu_si256(weights++);
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
      __m256i x = broadcast(row[i] + distance);
      sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(_mm256_maddubs_epi16(x, a), one));
      sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(_mm256_maddubs_epi16(x, b), one));
    }
  }
  finish(panel, pixel, sum, count);
}

RK_AVX2 static void run_rows(const panel *panel, const uint8_t *const *rows, int64_t offset, int64_t pixel,
                             int64_t count) {
  switch (count) {
  case 1: run_tile(panel, rows, offset, pixel, 1); break;
  case 2: run_tile(panel, rows, offset, pixel, 2); break;
  case 3: run_tile(panel, rows, offset, pixel, 3); break;
  case 4: run_tile(panel, rows, offset, pixel, 4); break;
  case 5: run_tile(panel, rows, offset, pixel, 5); break;
  case 6: run_tile(panel, rows, offset, pixel, 6); break;
  }
}

// One panel for `count` pixels.
static void run_panel(const job *job, int64_t index, int64_t pixel, int64_t count, const uint8_t *const *rows,
                      const int32_t *distances, int32_t *entries) {
  const rk_int8_convolution *p = job->p;
  const rk_int8_layout *layout = &job->layout;
  int64_t group = index / layout->panels, first = index % layout->panels * RK_PANEL;
  panel panel = {.p = p, .channel = group * layout->outputs + first};
  panel.lanes = rk_smaller(RK_PANEL, layout->outputs - first);
  memcpy(panel.bias, p->bias + panel.channel, panel.lanes * sizeof(int32_t));
  memcpy(panel.scales, p->scales + panel.channel, panel.lanes * sizeof(float));
  rk_int8_entries list = rk_int8_entries_of(p, layout, index);
  panel.entries = list.count;
  panel.weights = list.weights;
  panel.distances = distances;
  if (list.count > layout->quads) {
    for (int64_t i = 0; i < list.count; i++) entries[i] = distances[list.quads[i]];
    panel.distances = entries;
  }
  for (int64_t i = 0; i < count; i += tile_rows) {
    run_rows(&panel, rows + i, group * layout->inputs, pixel + i, rk_smaller(tile_rows, count - i));
  }
}

static void convolve_avx2(void *context) {
  const job *job = context;
  int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
  uint8_t *picture = (uint8_t *)rk_aligned((intptr_t)job->p->scratch) + thread * job->total;
  const uint8_t **rows = (void *)(picture + job->picture);
  int32_t *distances = (void *)(picture + job->picture + job->rows);
  int32_t *entries = (void *)(picture + job->picture + job->rows + job->distances);
  list_distances(job, distances);

  int64_t shares = channel_shares(job, threads), channel_share = thread % shares;
  int64_t pixel_shares = threads / shares, pixel_share = thread / shares;
  int64_t panels = job->layout.panels * job->p->groups;
  int64_t first = panels * channel_share / shares, last = panels * (channel_share + 1) / shares;
  int64_t tiles = rk_quotient(job->images * job->pixels, tile_rows);
  int64_t pixel = tiles * pixel_share / pixel_shares * tile_rows;
  int64_t end = rk_smaller(tiles * (pixel_share + 1) / pixel_shares * tile_rows, job->images * job->pixels);
  while (pixel < end) {
    int64_t image = pixel / job->pixels, from = pixel % job->pixels;
    int64_t left = rk_smaller(job->pixels - from, end - pixel);
    // Blocks of about the same size.
    int64_t blocks = rk_quotient(left, job->block);
    int64_t count = rk_smaller(rk_quotient(rk_quotient(left, blocks), tile_rows) * tile_rows, left);
    prepare_block(job, image, from, from + count, picture, rows);
    for (int64_t i = first; i < last; i++) run_panel(job, i, pixel, count, rows, distances, entries);
    pixel += count;
  }
}

#endif

rk_int8_layout rk_int8_layout_of(const rk_int8_convolution *p) {
  rk_int8_layout layout = {0};
  layout.inputs = p->channels / p->groups;
  layout.outputs = p->out_channels / p->groups;
  layout.is_depthwise = p->groups > 1 && layout.inputs == 1 && layout.outputs == 1;
  if (layout.is_depthwise) {
    layout.panels = rk_quotient(p->channels, RK_BLOCK);
    layout.runs = 1;
    layout.places = (int64_t)p->kernel_height * p->kernel_width;
    layout.pairs = rk_quotient(layout.places, 2);
  } else {
    int is_contiguous = p->groups == 1 && (p->dilation_width == 1 || p->kernel_width == 1);
    layout.panels = rk_quotient(layout.outputs, RK_PANEL);
    layout.runs = p->kernel_height * (int64_t)(is_contiguous ? 1 : p->kernel_width);
    layout.places = layout.inputs * (is_contiguous ? p->kernel_width : 1);
    layout.quads = layout.runs * rk_quotient(layout.places, RK_PLACES);
  }
  return layout;
}

// Where the parts of packed weights begin: the number of each panel's first entry, the quad of each entry, weights.
static int64_t quads_at(const rk_int8_convolution *p, const rk_int8_layout *layout) {
  return rk_aligned((p->groups * layout->panels + 1) * (int64_t)sizeof(int32_t));
}

static int64_t weights_at(const rk_int8_convolution *p, const rk_int8_layout *layout, int64_t entries) {
  return quads_at(p, layout) + rk_aligned(entries * (int64_t)sizeof(int32_t));
}

rk_int8_entries rk_int8_entries_of(const rk_int8_convolution *p, const rk_int8_layout *layout, int64_t panel) {
  const int32_t *starts = p->weights, *quads = (const void *)((const char *)p->weights + quads_at(p, layout));
  const int8_t *weights = (const int8_t *)p->weights + weights_at(p, layout, starts[p->groups * layout->panels]);
  int64_t first = starts[panel];
  return (rk_int8_entries){starts[panel + 1] - first, quads + first, weights + first * RK_PANEL * RK_PLACES};
}

// The weights of a quad: 16 channels of 4 places. Says whether a pair is too large.
static int read_quad(const rk_int8_convolution *p, const rk_int8_layout *layout, const int8_t *weights, int64_t panel,
                     int64_t quad, int8_t *result) {
  int64_t group = panel / layout->panels, first = panel % layout->panels * RK_PANEL;
  int64_t per_run = rk_quotient(layout->places, RK_PLACES), run = quad / per_run;
  int64_t per_row = layout->runs / p->kernel_height, area = (int64_t)p->kernel_height * p->kernel_width;
  int is_large = 0;
  memset(result, 0, RK_PANEL * RK_PLACES);
  for (int64_t o = 0; o < rk_smaller(RK_PANEL, layout->outputs - first); o++) {
    const int8_t *filter = weights + (group * layout->outputs + first + o) * layout->inputs * area;
    int8_t *w = result + o * RK_PLACES;
    for (int64_t j = 0; j < RK_PLACES; j++) {
      int64_t place = quad % per_run * RK_PLACES + j;
      if (place >= layout->places) break;
      int64_t x = per_row == 1 ? place / layout->inputs : run % per_row, y = run / per_row;
      w[j] = filter[place % layout->inputs * area + y * p->kernel_width + x];
    }
    for (int64_t j = 0; j < RK_PLACES; j += 2) {
      int positive = (w[j] > 0 ? w[j] : 0) + (w[j + 1] > 0 ? w[j + 1] : 0);
      int negative = (w[j] < 0 ? w[j] : 0) + (w[j + 1] < 0 ? w[j + 1] : 0);
      is_large |= positive > 128 || negative < -128;
    }
  }
  return is_large;
}

static int64_t depthwise_place(const rk_int8_layout *layout, int64_t c, int64_t place) {
  return ((c / RK_BLOCK * layout->pairs + place / 2) * RK_BLOCK + rk_int8_lane(c % RK_BLOCK)) * 2 + place % 2;
}

int64_t rk_int8_packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  rk_int8_layout layout = rk_int8_layout_of(p);
  if (layout.is_depthwise) return layout.panels * layout.pairs * RK_BLOCK * 4;
  int64_t entries = 0;
  int8_t quad[RK_PANEL * RK_PLACES];
  for (int64_t i = 0; i < p->groups * layout.panels; i++) {
    for (int64_t j = 0; j < layout.quads; j++) entries += 1 + read_quad(p, &layout, weights, i, j, quad);
  }
  return weights_at(p, &layout, entries) + entries * RK_PANEL * RK_PLACES;
}

void rk_int8_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  rk_int8_layout layout = rk_int8_layout_of(p);
  if (layout.is_depthwise) {
    int16_t *w = packed;
    memset(packed, 0, rk_int8_packed_bytes(p, weights));
    for (int64_t o = 0; o < p->channels; o++) {
      for (int64_t i = 0; i < layout.places; i++) {
        w[depthwise_place(&layout, o, i)] = *weights++;
      }
    }
    return;
  }
  int64_t panels = p->groups * layout.panels, entries = 0;
  int32_t *starts = packed, *quads = (void *)((char *)packed + quads_at(p, &layout));
  int8_t quad[RK_PANEL * RK_PLACES];
  for (int64_t i = 0; i < panels; i++) {
    starts[i] = (int32_t)entries;
    for (int64_t j = 0; j < layout.quads; j++) {
      for (int64_t n = 1 + read_quad(p, &layout, weights, i, j, quad); n > 0; n--) quads[entries++] = (int32_t)j;
    }
  }
  starts[panels] = (int32_t)entries;
  int8_t *w = (int8_t *)packed + weights_at(p, &layout, entries);
  for (int64_t i = 0; i < panels; i++) {
    for (int64_t j = 0; j < layout.quads; j++) {
      int is_large = read_quad(p, &layout, weights, i, j, w);
      if (is_large) {
        for (int64_t k = 0; k < RK_PANEL * RK_PLACES; k++) {
          int half = w[k] >> 1;
          w[k + RK_PANEL * RK_PLACES] = (int8_t)(w[k] - half);
          w[k] = (int8_t)half;
        }
      }
      w += (1 + is_large) * RK_PANEL * RK_PLACES;
    }
  }
}

// The definition, for processors without a kernel of their own.
static void convolve_plain(void *context) {
  const rk_int8_convolution *p = context;
  rk_int8_layout layout = rk_int8_layout_of(p);
  int64_t per_run = rk_quotient(layout.places, RK_PLACES), per_row = layout.runs / p->kernel_height;
  rk_range share = rk_share(p->batch * p->out_height * p->out_width, 1);
  for (int64_t pixel = share.from; pixel < share.to; pixel++) {
    int64_t left = pixel % p->out_width * p->stride_width - p->pad_left;
    int64_t top = pixel / p->out_width % p->out_height * p->stride_height - p->pad_top;
    const uint8_t *image = p->x + pixel / p->out_width / p->out_height * p->height * p->width * p->channels;
    for (int64_t o = 0; o < p->out_channels; o++) {
      int64_t group = o / layout.outputs, lane = o % layout.outputs;
      rk_int8_entries list = {layout.pairs * 2, 0, 0};
      if (!layout.is_depthwise) {
        list = rk_int8_entries_of(p, &layout, group * layout.panels + lane / RK_PANEL);
        list.weights += lane % RK_PANEL * RK_PLACES;
      }
      int32_t sum = p->bias[o];
      for (int64_t i = 0; i < list.count * RK_PLACES; i++) {
        int64_t y, x, channel, w;
        if (layout.is_depthwise) {
          if (i >= layout.places) break;
          y = i / p->kernel_width, x = i % p->kernel_width, channel = 0;
          w = ((const int16_t *)p->weights)[depthwise_place(&layout, o, i)];
        } else {
          int64_t quad = list.quads[i / RK_PLACES], run = quad / per_run;
          int64_t place = quad % per_run * RK_PLACES + i % RK_PLACES;
          if (place >= layout.places) continue;
          y = run / per_row, x = per_row == 1 ? place / layout.inputs : run % per_row, channel = place % layout.inputs;
          w = list.weights[i / RK_PLACES * RK_PANEL * RK_PLACES + i % RK_PLACES];
        }
        int64_t row = top + y * p->dilation_height, column = left + x * p->dilation_width;
        int is_inside = row >= 0 && row < p->height && column >= 0 && column < p->width;
        int64_t at = (row * p->width + column) * p->channels + group * layout.inputs + channel;
        sum += (int32_t)w * (is_inside ? image[at] : p->zero);
      }
      rk_int8_finish(p, pixel * p->out_channels + o, o, sum);
    }
  }
}

int64_t rk_int8_scratch(const rk_int8_convolution *p, int threads) {
#ifdef RK_INT8_AVX2
  int64_t each = rk_int8_layout_of(p).is_depthwise ? rk_int8_depthwise_scratch(p) : job_of(p).total;
  return threads * each + 64;
#else
  return 0;
#endif
}

void rk_int8_convolve(const rk_int8_convolution *p) {
#ifdef RK_INT8_AVX2
  if (__builtin_cpu_supports("avx2")) {
    if (rk_int8_layout_of(p).is_depthwise) {
      rk_int8_depthwise_avx2(p);
    } else {
      job job = job_of(p);
      GOMP_parallel(convolve_avx2, &job, 0, 0);
    }
    return;
  }
#endif
  GOMP_parallel(convolve_plain, (void *)p, 0, 0);
}

const char *rk_int8_kernel(const rk_int8_convolution *p) {
#ifdef RK_INT8_AVX2
  if (__builtin_cpu_supports("avx2")) {
    return rk_int8_layout_of(p).is_depthwise ? "own int8 depthwise avx2" : "own int8 avx2 6x16";
  }
#endif
  return "own int8 plain";
}
