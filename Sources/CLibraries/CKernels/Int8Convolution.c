// Convolutions and dense layers on 8-bit integers: exact sums, on processors with AVX2.
//
// Goals, in order: exact; nothing allocated; fast on one thread and on two; the same bytes for any number of threads.
//
// Products are summed in pairs by vpmaddwd on 16-bit integers. (vpmaddubsw, which takes bytes, cuts its sums at 16
// bits; to be exact it needs as many instructions.) A tile is 6 pixels x 16 output channels in 12 registers. The part of
// the picture that a block of pixels needs is widened to 16 bits once, with its margin, so that the window of a pixel is
// at fixed distances from one address; the weights of a panel are widened for a block, a chunk at a time that fits into
// the first cache next to them. A block fits into the second.
#include "Int8.h"

#pragma STDC FP_CONTRACT OFF

#ifdef RK_INT8_AVX2

enum {
  tile_rows = 6,
  block_bytes = 160 << 10,  // of the widened picture
  block_pixels = 480,
  segment_pairs = 256,      // a run is cut into segments of at most so many
  chunk_pairs = 320,        // a chunk is segments of about so many
};

// So many pairs at a distance from the first value of a pixel's window.
typedef struct { int64_t offset, pairs; } segment;

// What the parts of the scratch of one thread are.
typedef struct {
  int64_t pixels;        // of a block
  int64_t picture, rows, sums, weights, segments, total;  // bytes; `rows` holds the address of each pixel's window
} parts;

typedef struct {
  const rk_int8_convolution *p;
  rk_int8_layout layout;
  parts parts;
  int is_pointwise;            // each pixel needs one pixel
  int64_t images, pixels;      // of an image
  int64_t row, columns;        // of the widened picture: values and pixels in a row
  int64_t shares;              // in how many shares the output channels are cut
} job;

static int64_t runs_per_row(const rk_int8_layout *layout, const rk_int8_convolution *p) {
  return layout->runs / p->kernel_height;
}

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .layout = rk_int8_layout_of(p)};
  int64_t reach = (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t pixel = p->channels * 2;
  job.is_pointwise = p->kernel_height == 1 && p->kernel_width == 1 && p->pad_top == 0 && p->pad_left == 0 &&
                     (p->out_height - 1) * p->stride_height < p->height && (p->out_width - 1) * p->stride_width < p->width;
  job.images = job.is_pointwise ? 1 : p->batch;
  job.pixels = p->out_height * p->out_width * (job.is_pointwise ? p->batch : 1);
  job.columns = (p->out_width - 1) * p->stride_width + (int64_t)(p->kernel_width - 1) * p->dilation_width + 1;
  job.row = job.columns * p->channels;
  parts *parts = &job.parts;
  int64_t most = rk_smaller(block_pixels, rk_quotient(job.pixels, tile_rows) * tile_rows);
  if (job.is_pointwise) {
    parts->pixels = rk_smaller(most, block_bytes / pixel);
    if (parts->pixels < tile_rows) parts->pixels = tile_rows;
    parts->pixels -= parts->pixels % tile_rows;
    parts->picture = parts->pixels * pixel;
  } else {
    int64_t rows = (block_bytes / (job.row * 2) - reach) / p->stride_height + 1;
    if (rows < 1) rows = 1;
    parts->pixels = rk_smaller(most, rows * p->out_width);
    if (parts->pixels > tile_rows) parts->pixels -= parts->pixels % tile_rows;
    // A block may begin and end within a row.
    rows = rk_smaller(p->out_height, (parts->pixels - 2 + p->out_width) / p->out_width + 1);
    parts->picture = ((rows - 1) * p->stride_height + reach) * job.row * 2;
  }
  parts->picture = rk_aligned(parts->picture + 64);  // a run of an odd number of places reads one value more
  parts->rows = rk_aligned((parts->pixels + tile_rows) * (int64_t)sizeof(void *));
  parts->sums = rk_aligned((parts->pixels + tile_rows) * RK_PANEL * 4);
  parts->weights = rk_aligned((chunk_pairs + segment_pairs) * RK_PANEL * 4);
  int64_t segments = job.layout.runs * rk_quotient(rk_quotient(job.layout.places, 2), segment_pairs);
  parts->segments = rk_aligned(segments * (int64_t)sizeof(segment));
  parts->total = parts->picture + parts->rows + parts->sums + parts->weights + parts->segments;
  return job;
}

// Shares of pixels and of channels: what takes the busiest thread the shortest, in cycles or so.
static int64_t channel_shares(const job *job, int64_t threads) {
  int64_t best = 1;
  double least = 0;
  int64_t tiles = rk_quotient(job->images * job->pixels, tile_rows), panels = job->layout.panels * job->p->groups;
  double picture = (double)job->p->batch * job->p->height * job->p->width * job->p->channels;
  double weights = (double)panels * job->layout.pairs * 2 * RK_PANEL;
  for (int64_t shares = 1; shares <= threads; shares++) {
    if (threads % shares) continue;
    double sums = (double)rk_quotient(tiles, threads / shares) * rk_quotient(panels, shares) * job->layout.pairs * 6;
    double cost = sums + picture / (threads / shares) / 8 + weights / shares / 8;
    if (shares == 1 || cost < least) best = shares, least = cost;
  }
  return best;
}

RK_AVX2 static void widen(const uint8_t *x, int16_t *y, int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    _mm256_storeu_si256((void *)(y + i), _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(x + i))));
  }
  for (; i < count; i++) y[i] = x[i];
}

static void fill(int16_t *y, int64_t count, int16_t value) {
  for (int64_t i = 0; i < count; i++) y[i] = value;
}

// Widens what the pixels from `from` to `to` of an image need, and writes the address of each one's window.
RK_AVX2 static void prepare_block(const job *job, int64_t image, int64_t from, int64_t to, int16_t *picture,
                                  const int16_t **rows) {
  const rk_int8_convolution *p = job->p;
  int64_t channels = p->channels;
  if (job->is_pointwise) {
    int is_dense = p->stride_height == 1 && p->stride_width == 1 && p->height == p->out_height && p->width == p->out_width;
    if (is_dense) widen(p->x + from * channels, picture, (to - from) * channels);
    for (int64_t i = from; i < to; i++) {
      rows[i - from] = picture + (i - from) * channels;
      if (is_dense) continue;
      int64_t column = i % p->out_width, row = i / p->out_width % p->out_height, n = i / p->out_width / p->out_height;
      int64_t source = (n * p->height + row * p->stride_height) * p->width + column * p->stride_width;
      widen(p->x + source * channels, picture + (i - from) * channels, channels);
    }
    return;
  }
  int64_t first = from / p->out_width, last = (to - 1) / p->out_width;
  int64_t top = first * p->stride_height - p->pad_top;
  int64_t count = (last - first) * p->stride_height + (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t left = rk_smaller(p->pad_left, job->columns);
  int64_t inside = rk_smaller(p->width, job->columns - left);
  for (int64_t i = 0; i < count; i++) {
    int16_t *target = picture + i * job->row;
    if (top + i < 0 || top + i >= p->height) {
      fill(target, job->row, (int16_t)p->zero);
      continue;
    }
    fill(target, left * channels, (int16_t)p->zero);
    widen(p->x + (image * p->height + top + i) * p->width * channels, target + left * channels, inside * channels);
    fill(target + (left + inside) * channels, (job->columns - left - inside) * channels, (int16_t)p->zero);
  }
  for (int64_t i = from; i < to; i++) {
    int64_t row = i / p->out_width - first, column = i % p->out_width;
    rows[i - from] = picture + row * p->stride_height * job->row + column * p->stride_width * channels;
  }
}

// The same number of segments in each run.
static int64_t list_segments(const job *job, segment *segments) {
  const rk_int8_convolution *p = job->p;
  int64_t pairs = rk_quotient(job->layout.places, 2), pieces = rk_quotient(pairs, segment_pairs), count = 0;
  int64_t per_row = runs_per_row(&job->layout, p);
  for (int64_t run = 0; run < job->layout.runs; run++) {
    int64_t offset = run / per_row * p->dilation_height * job->row + run % per_row * p->dilation_width * p->channels;
    for (int64_t i = 0; i < pieces; i++) {
      int64_t from = pairs * i / pieces, to = pairs * (i + 1) / pieces;
      segments[count++] = (segment){offset + from * 2, to - from};
    }
  }
  return count;
}

// One panel of a block: what its tiles share.
typedef struct {
  const rk_int8_convolution *p;
  int32_t bias[RK_PANEL];
  float scales[RK_PANEL];
  int64_t channel, lanes;  // the first output channel, and how many
  const segment *segments, *end;
  const int8_t *weights;   // of these segments
  const int16_t *widened;  // the same, or NULL
  int is_first, is_last;   // of the chunks
} panel;

// 16 results, already between the bounds.
RK_AVX2 RK_INLINE __m128i as_bytes(__m256 a, __m256 b, int32_t zero) {
  __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
  words = _mm256_add_epi16(_mm256_permute4x64_epi64(words, 0xd8), _mm256_set1_epi16((int16_t)zero));
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

RK_AVX2 RK_INLINE void finish(const panel *panel, int64_t pixel, __m256i sum_a, __m256i sum_b) {
  const rk_int8_convolution *p = panel->p;
  __m256 a = _mm256_mul_ps(_mm256_cvtepi32_ps(sum_a), _mm256_loadu_ps(panel->scales));
  __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(sum_b), _mm256_loadu_ps(panel->scales + 8));
  int64_t index = pixel * p->out_channels + panel->channel;
  if (!p->y) {
    float v[RK_PANEL];
    _mm256_storeu_ps(v, a);
    _mm256_storeu_ps(v + 8, b);
    memcpy(p->y_real + index, v, panel->lanes * sizeof(float));
    return;
  }
  a = rk_int8_clamped(a, p->y_zero, p->low, p->high);
  b = rk_int8_clamped(b, p->y_zero, p->low, p->high);
  int32_t zero = p->y_zero;
  if (p->residual) {
    __m128i r;
    if (panel->lanes == RK_PANEL) {
      r = _mm_loadu_si128((const void *)(p->residual + index));
    } else {
      uint8_t bytes[RK_PANEL] = {0};
      memcpy(bytes, p->residual + index, panel->lanes);
      r = _mm_loadu_si128((const void *)bytes);
    }
    __m256 own = _mm256_set1_ps(p->q_factor), other = _mm256_set1_ps(p->r_factor);
    a = _mm256_mul_ps(_mm256_round_ps(a, RK_NEAREST), own);
    b = _mm256_mul_ps(_mm256_round_ps(b, RK_NEAREST), own);
    a = _mm256_add_ps(a, _mm256_mul_ps(rk_int8_real(r, p->r_zero), other));
    b = _mm256_add_ps(b, _mm256_mul_ps(rk_int8_real(_mm_srli_si128(r, 8), p->r_zero), other));
    a = rk_int8_clamped(a, p->sum_zero, p->sum_low, p->sum_high);
    b = rk_int8_clamped(b, p->sum_zero, p->sum_low, p->sum_high);
    zero = p->sum_zero;
  }
  __m128i y = as_bytes(a, b, zero);
  if (panel->lanes == RK_PANEL) {
    _mm_storeu_si128((void *)(p->y + index), y);
  } else {
    uint8_t bytes[RK_PANEL];
    _mm_storeu_si128((void *)bytes, y);
    memcpy(p->y + index, bytes, panel->lanes);
  }
}

RK_AVX2 RK_INLINE __m256i broadcast(const int16_t *pair) {
  int32_t both;
  memcpy(&both, pair, 4);
  return _mm256_set1_epi32(both);
}

RK_AVX2 RK_INLINE void run_tile(const panel *panel, const int16_t *const *rows, int64_t offset, int64_t pixel,
                                int32_t *sums, const int count, const int is_widened) {
  __m256i sum[tile_rows][2];
  const int16_t *row[tile_rows];
#pragma clang loop unroll(full)
  for (int i = 0; i < count; i++) {
    const int32_t *start = panel->is_first ? panel->bias : sums + i * RK_PANEL;
    sum[i][0] = _mm256_loadu_si256((const void *)start);
    sum[i][1] = _mm256_loadu_si256((const void *)(start + 8));
    row[i] = rows[i] + offset;
  }
  const int16_t *wide = panel->widened;
  const int8_t *narrow = panel->weights;
  for (const segment *s = panel->segments; s < panel->end; s++) {
    for (int64_t k = s->offset, end = k + s->pairs * 2; k < end; k += 2) {
      __m256i a, b;
      if (is_widened) {
        a = _mm256_load_si256((const void *)wide);
        b = _mm256_load_si256((const void *)(wide + 16));
        wide += 32;
      } else {
        a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)narrow));
        b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(narrow + 16)));
        narrow += 32;
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < count; i++) {
        __m256i x = broadcast(row[i] + k);
        sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(x, a));
        sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(x, b));
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < count; i++) {
    if (panel->is_last) {
      finish(panel, pixel + i, sum[i][0], sum[i][1]);
    } else {
      _mm256_storeu_si256((void *)(sums + i * RK_PANEL), sum[i][0]);
      _mm256_storeu_si256((void *)(sums + i * RK_PANEL + 8), sum[i][1]);
    }
  }
}

#define TILE(count)                                                                                  \
  case count:                                                                                        \
    if (panel->widened) run_tile(panel, rows, offset, pixel, sums, count, 1);                        \
    else run_tile(panel, rows, offset, pixel, sums, count, 0);                                       \
    break;

RK_AVX2 static void run_rows(const panel *panel, const int16_t *const *rows, int64_t offset, int64_t pixel,
                             int32_t *sums, int64_t count) {
  switch (count) {
    TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
  }
}

// One panel for the pixels of a block, chunk by chunk.
RK_AVX2 static void run_panel(const job *job, int64_t index, int64_t image, int64_t from, int64_t to, uint8_t *scratch,
                              int64_t segments) {
  const rk_int8_convolution *p = job->p;
  const rk_int8_layout *layout = &job->layout;
  const parts *parts = &job->parts;
  const int16_t *const *rows = (const void *)(scratch + parts->picture);
  int32_t *sums = (void *)(scratch + parts->picture + parts->rows);
  int16_t *widened = (void *)(scratch + parts->picture + parts->rows + parts->sums);
  const segment *list = (const void *)(scratch + parts->picture + parts->rows + parts->sums + parts->weights);

  int64_t group = index / layout->panels, first = index % layout->panels * RK_PANEL;
  panel panel = {.p = p, .channel = group * layout->outputs + first, .lanes = rk_smaller(RK_PANEL, layout->outputs - first)};
  memcpy(panel.bias, p->bias + panel.channel, panel.lanes * sizeof(int32_t));
  memcpy(panel.scales, p->scales + panel.channel, panel.lanes * sizeof(float));
  panel.weights = (const int8_t *)p->weights + index * layout->pairs * RK_PANEL * 2;
  int64_t pixel = image * job->pixels + from, count = to - from;
  for (int64_t next = 0; next < segments;) {
    int64_t pairs = 0;
    panel.is_first = next == 0;
    panel.segments = list + next;
    do pairs += list[next++].pairs;
    while (next < segments && pairs + list[next].pairs <= chunk_pairs);
    panel.end = list + next;
    panel.is_last = next == segments;
    // For one tile or two it is cheaper to widen weights on the way.
    if (count > 2 * tile_rows) {
      for (int64_t i = 0; i < pairs * 2; i++) {
        __m128i bytes = _mm_loadu_si128((const void *)(panel.weights + i * 16));
        _mm256_store_si256((void *)(widened + i * 16), _mm256_cvtepi8_epi16(bytes));
      }
      panel.widened = widened;
    }
    for (int64_t i = 0; i < count; i += tile_rows) {
      run_rows(&panel, rows + i, group * layout->inputs, pixel + i, sums + i * RK_PANEL, rk_smaller(tile_rows, count - i));
    }
    panel.weights += pairs * RK_PANEL * 2;
  }
}

static void convolve_avx2(void *context) {
  const job *job = context;
  const parts *parts = &job->parts;
  int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
  uint8_t *scratch = (uint8_t *)rk_aligned((intptr_t)job->p->scratch) + thread * parts->total;
  int64_t segments = list_segments(job, (void *)(scratch + parts->total - parts->segments));

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
    int64_t blocks = rk_quotient(left, parts->pixels);
    int64_t count = rk_smaller(rk_quotient(rk_quotient(left, blocks), tile_rows) * tile_rows, rk_smaller(left, parts->pixels));
    prepare_block(job, image, from, from + count, (int16_t *)scratch, (void *)(scratch + parts->picture));
    for (int64_t i = first; i < last; i++) run_panel(job, i, image, from, from + count, scratch, segments);
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
    layout.panels = rk_quotient(p->channels, RK_LANES);
    layout.runs = 1;
    layout.places = (int64_t)p->kernel_height * p->kernel_width;
  } else {
    int is_contiguous = p->groups == 1 && (p->dilation_width == 1 || p->kernel_width == 1);
    layout.panels = rk_quotient(layout.outputs, RK_PANEL);
    layout.runs = p->kernel_height * (int64_t)(is_contiguous ? 1 : p->kernel_width);
    layout.places = layout.inputs * (is_contiguous ? p->kernel_width : 1);
  }
  layout.pairs = layout.runs * rk_quotient(layout.places, 2);
  return layout;
}

// Where the weight of output channel `o` for input channel `i` of its group at (y, x) of the window lies.
static int64_t place_of(const rk_int8_convolution *p, const rk_int8_layout *layout, int64_t o, int64_t i, int64_t y,
                        int64_t x) {
  if (layout->is_depthwise) {
    int64_t place = y * p->kernel_width + x;
    return ((o / RK_LANES * layout->pairs + place / 2) * RK_LANES + o % RK_LANES) * 2 + place % 2;
  }
  int64_t per_row = layout->runs / p->kernel_height;
  int64_t run = y * per_row + (per_row == 1 ? 0 : x), place = (per_row == 1 ? x * layout->inputs : 0) + i;
  int64_t pair = run * rk_quotient(layout->places, 2) + place / 2;
  int64_t panel = o / layout->outputs * layout->panels + o % layout->outputs / RK_PANEL;
  return ((panel * layout->pairs + pair) * RK_PANEL + o % layout->outputs % RK_PANEL) * 2 + place % 2;
}

int64_t rk_int8_packed_bytes(const rk_int8_convolution *p) {
  rk_int8_layout layout = rk_int8_layout_of(p);
  return layout.is_depthwise ? layout.panels * layout.pairs * RK_LANES * 4
                             : p->groups * layout.panels * layout.pairs * RK_PANEL * 2;
}

void rk_int8_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  rk_int8_layout layout = rk_int8_layout_of(p);
  memset(packed, 0, rk_int8_packed_bytes(p));
  for (int64_t o = 0; o < p->out_channels; o++) {
    for (int64_t i = 0; i < layout.inputs; i++) {
      for (int64_t y = 0; y < p->kernel_height; y++) {
        for (int64_t x = 0; x < p->kernel_width; x++) {
          int64_t place = place_of(p, &layout, o, i, y, x);
          if (layout.is_depthwise) ((int16_t *)packed)[place] = *weights++;
          else ((int8_t *)packed)[place] = *weights++;
        }
      }
    }
  }
}

// The definition, for processors without a kernel of their own.
static void convolve_plain(void *context) {
  const rk_int8_convolution *p = context;
  rk_int8_layout layout = rk_int8_layout_of(p);
  rk_range share = rk_share(p->batch * p->out_height * p->out_width, 1);
  for (int64_t pixel = share.from; pixel < share.to; pixel++) {
    int64_t left = pixel % p->out_width * p->stride_width - p->pad_left;
    int64_t top = pixel / p->out_width % p->out_height * p->stride_height - p->pad_top;
    const uint8_t *image = p->x + pixel / p->out_width / p->out_height * p->height * p->width * p->channels;
    for (int64_t o = 0; o < p->out_channels; o++) {
      int32_t sum = p->bias[o];
      for (int64_t y = 0; y < p->kernel_height; y++) {
        for (int64_t x = 0; x < p->kernel_width; x++) {
          int64_t row = top + y * p->dilation_height, column = left + x * p->dilation_width;
          int is_inside = row >= 0 && row < p->height && column >= 0 && column < p->width;
          const uint8_t *values = image + (row * p->width + column) * p->channels + o / layout.outputs * layout.inputs;
          for (int64_t i = 0; i < layout.inputs; i++) {
            int64_t place = place_of(p, &layout, o, i, y, x);
            int32_t w = layout.is_depthwise ? ((const int16_t *)p->weights)[place] : ((const int8_t *)p->weights)[place];
            sum += w * (is_inside ? values[i] : p->zero);
          }
        }
      }
      rk_int8_finish(p, pixel * p->out_channels + o, o, sum);
    }
  }
}

int64_t rk_int8_scratch(const rk_int8_convolution *p, int threads) {
#ifdef RK_INT8_AVX2
  int64_t each = rk_int8_layout_of(p).is_depthwise ? rk_int8_depthwise_scratch(p) : job_of(p).parts.total;
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
