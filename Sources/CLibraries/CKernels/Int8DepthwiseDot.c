// Depthwise convolutions on 8-bit integers by dot products of four (vpdpbusd), 64 channels at a time, for processors
// with AVX-512 VNNI.
//
// The four bytes of a dot product are of one column of the window: four rows of it, or what there is. Bytes of 64
// channels in four rows are interleaved to four vectors of 16 channels; in windows of 3 x 3 with a stride of 1 or 2,
// columns are kept for the next pixel that sees them. Nothing is copied: what lies outside the image is one constant.
//
// Weights are [block of 64 channels][column][four rows][vector][lane][row], channels in the order of rk_int8_lane.
#include "Int8.h"

#ifdef RK_X86

#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define LANES 16
#include "Int8RoundBlock.h"

enum { per_block = 64, four_bytes = 4 * per_block };

// Whether vectors have the 32 channels of two pixels.
static int has_pairs(const rk_int8_convolution *p) {
  return p->channels == per_block / 2 && p->kernel_height == 3 && p->kernel_width == 3 && p->stride_width == 1 &&
         p->dilation_height == 1 && p->dilation_width == 1 && p->width > 1;
}

static int64_t fours_of(const rk_int8_convolution *p) { return rk_quotient(p->kernel_height, 4); }

static int64_t packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  (void)weights;
  return rk_quotient(p->channels, per_block) * p->kernel_width * fours_of(p) * four_bytes;
}

static void pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  memset(packed, 0, packed_bytes(p, weights));
  for (int64_t c = 0; c < p->channels; c++) {
    for (int64_t y = 0; y < p->kernel_height; y++) {
      for (int64_t x = 0; x < p->kernel_width; x++) {
        int64_t four = (c / per_block * p->kernel_width + x) * fours_of(p) + y / 4;
        int8_t *at = (int8_t *)packed + four * four_bytes + y % 4;
        at[rk_int8_lane(c % per_block, 4, 16) * 4] = *weights;
        if (has_pairs(p)) at[rk_int8_lane(c + p->channels, 4, 16) * 4] = *weights;
        weights++;
      }
    }
  }
}

// Up to four rows of an image, from some channel on. One outside of it is a vector of what is there, again and again.
typedef struct {
  int64_t width, height, pixel;  // bytes of a pixel
  const uint8_t *rows[4];
  int64_t steps[4];  // bytes of a pixel, or 0
  __m512i outside;
  __mmask64 mask;    // of the channels
} band;

TARGET RK_INLINE void set_row(band *band, int j, const uint8_t *image, int64_t row) {
  int is_inside = row >= 0 && row < band->height;
  band->rows[j] = is_inside ? image + row * band->width * band->pixel : (const uint8_t *)&band->outside;
  band->steps[j] = is_inside ? band->pixel : 0;
}

TARGET RK_INLINE __m512i load_row(const band *band, int j, int64_t x) {
  return _mm512_maskz_loadu_epi8(band->mask, band->rows[j] + x * band->steps[j]);
}

// A column of up to four rows, 64 channels, as the dot products take it. `pixels`: of 32 channels the two pixels from x
// on share it.
TARGET RK_INLINE void load_column(const band *band, int64_t x, __m512i column[4], const int rows, const int pixels) {
  __m512i row[4];
  for (int j = 0; j < 4; j++) row[j] = _mm512_setzero_si512();
  if (x >= 0 && x + pixels <= band->width) {
    for (int j = 0; j < rows; j++) row[j] = load_row(band, j, x);
  } else if (pixels == 2 && (x == -1 || x == band->width - 1)) {
    // One of the two is outside.
    for (int j = 0; j < rows; j++) {
      __m256i half = _mm256_loadu_si256((const void *)(band->rows[j] + (x < 0 ? 0 : x) * band->steps[j]));
      row[j] = x < 0 ? _mm512_inserti64x4(band->outside, half, 1) : _mm512_inserti64x4(band->outside, half, 0);
    }
  } else {
    for (int j = 0; j < 4; j++) column[j] = band->outside;
    return;
  }
  __m512i ab = _mm512_unpacklo_epi8(row[0], row[1]), cd = _mm512_unpacklo_epi8(row[2], row[3]);
  column[0] = _mm512_unpacklo_epi16(ab, cd), column[1] = _mm512_unpackhi_epi16(ab, cd);
  ab = _mm512_unpackhi_epi8(row[0], row[1]), cd = _mm512_unpackhi_epi8(row[2], row[3]);
  column[2] = _mm512_unpacklo_epi16(ab, cd), column[3] = _mm512_unpackhi_epi16(ab, cd);
}

TARGET RK_INLINE void add_column(__m512i sum[4], const __m512i column[4], const __m512i weights[4]) {
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) sum[j] = _mm512_dpbusd_epi32(sum[j], column[j], weights[j]);
}

// An output row of windows of 3 x 3 with a stride of 1 or 2, without residual. `pixels`: a vector has two pixels of 32
// channels, with a stride of 1.
TARGET RK_INLINE void run_3x3(const rk_int8_convolution *p, const band *given, const panel_512 *given_panel,
                              const int8_t *weights, int64_t pixel, const int stride, const int pixels,
                              const int is_whole) {
  // What is read here is not read again below: a byte that is written could be any of it.
  const band band = *given;
  panel_512 panel = *given_panel;
  __m512i w[3][4], columns[3][4];
  memcpy(w, weights, sizeof w);
  const int step = stride * pixels;  // columns from one vector of results to the next
  int64_t left = -p->pad_left, width = p->out_width, channels = p->channels;
  uint8_t *y = p->y + pixel * channels + panel.channel;
  load_column(&band, left, columns[0], 3, pixels);
  if (step == 1) load_column(&band, left + 1, columns[1], 3, pixels);
  for (int64_t i = 0; i < width; i += pixels, left += step, y += pixels * channels) {
    if (step == 2) load_column(&band, left + 1, columns[1], 3, pixels);
    load_column(&band, left + 2, columns[2], 3, pixels);
    __m512i sum[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) sum[j] = panel.bias[j];
#pragma clang loop unroll(full)
    for (int j = 0; j < 3; j++) add_column(sum, columns[j], w[j]);
    if (pixels == 2 && i + 1 == width) {
      panel.channels = channels;
      round_sums_512(&panel, &panel.rounding, sum, y, 0, 4, 0);
      break;
    }
    round_sums_512(&panel, &panel.rounding, sum, y, 0, 4, is_whole);
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) {
      columns[0][j] = columns[step == 1 ? 1 : 2][j];
      columns[1][j] = columns[2][j];
    }
  }
}

TARGET static void run_3x3_by_1(const rk_int8_convolution *p, const band *band, const panel_512 *panel,
                                const int8_t *weights, int64_t pixel) {
  if (panel->channels == per_block) run_3x3(p, band, panel, weights, pixel, 1, 1, 1);
  else run_3x3(p, band, panel, weights, pixel, 1, 1, 0);
}

TARGET static void run_3x3_by_2(const rk_int8_convolution *p, const band *band, const panel_512 *panel,
                                const int8_t *weights, int64_t pixel) {
  if (panel->channels == per_block) run_3x3(p, band, panel, weights, pixel, 2, 1, 1);
  else run_3x3(p, band, panel, weights, pixel, 2, 1, 0);
}

TARGET static void run_3x3_pairs(const rk_int8_convolution *p, const band *band, const panel_512 *panel,
                                 const int8_t *weights, int64_t pixel) {
  run_3x3(p, band, panel, weights, pixel, 1, 2, 1);
}

// An output row of any windows: image rows from `top` on.
TARGET static void run_any(const rk_int8_convolution *p, band *band, const panel_512 *panel, const int8_t *weights,
                           const uint8_t *image, int64_t top, int64_t pixel) {
  for (int64_t i = 0; i < p->out_width; i++) {
    __m512i sum[1][4], column[4], w[4];
    const int8_t *at = weights;
    for (int j = 0; j < 4; j++) sum[0][j] = panel->bias[j];
    for (int64_t x = 0; x < p->kernel_width; x++) {
      for (int64_t y = 0; y < p->kernel_height; y += 4, at += four_bytes) {
        for (int j = 0; j < 4; j++) set_row(band, j, image, top + (y + j) * p->dilation_height);
        load_column(band, i * p->stride_width - p->pad_left + x * p->dilation_width, column, 4, 1);
        memcpy(w, at, sizeof w);
        add_column(sum[0], column, w);
      }
    }
    finish_512(p, panel, (const __m512i(*)[4])sum, pixel + i, 1, 4);
  }
}

TARGET static void convolve(void *context) {
  const rk_int8_convolution *p = context;
  int64_t rows = p->batch * p->out_height, blocks = rk_quotient(p->channels, per_block);
  int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
  // Rows are shared, as layers before and after do, unless that leaves threads idle for longer.
  rk_range row_share = {0, rows}, block_share = {0, blocks};
  if (rk_quotient(rows, threads) * blocks <= rk_quotient(blocks, threads) * rows) {
    row_share = (rk_range){rows * thread / threads, rows * (thread + 1) / threads};
  } else {
    block_share = (rk_range){blocks * thread / threads, blocks * (thread + 1) / threads};
  }
  int is_3x3 = p->kernel_height == 3 && p->kernel_width == 3 && p->dilation_height == 1 && p->dilation_width == 1 &&
               p->stride_width <= 2 && p->y && !p->residual;
  for (int64_t block = block_share.from; block < block_share.to; block++) {
    int64_t channel = block * per_block, channels = rk_smaller(per_block, p->channels - channel);
    panel_512 panel = panel_of_512(p, channel, channels, 4);
    int is_paired = is_3x3 && has_pairs(p);
    if (is_paired) {
      // Bytes 32 to 63, the second pixel's, are the last two of four lanes in each vector.
      for (int j = 0; j < 4; j++) {
        panel.bias[j] = _mm512_shuffle_i64x2(panel.bias[j], panel.bias[j], 0x44);
        panel.scales[j] = _mm512_shuffle_f32x4(panel.scales[j], panel.scales[j], 0x44);
      }
      panel.channels = per_block;
    }
    const int8_t *weights = (const int8_t *)p->weights + block * p->kernel_width * fours_of(p) * four_bytes;
    band band = {.width = p->width, .height = p->height, .pixel = p->channels};
    band.outside = _mm512_set1_epi8((char)p->zero), band.mask = ~(__mmask64)0 >> (64 - panel.channels);
    for (int64_t row = row_share.from; row < row_share.to; row++) {
      const uint8_t *image = p->x + row / p->out_height * p->height * p->width * p->channels + channel;
      int64_t top = row % p->out_height * p->stride_height - p->pad_top, pixel = row * p->out_width;
      if (!is_3x3) {
        run_any(p, &band, &panel, weights, image, top, pixel);
        continue;
      }
      for (int j = 0; j < 3; j++) set_row(&band, j, image, top + j);
      if (is_paired) run_3x3_pairs(p, &band, &panel, weights, pixel);
      else if (p->stride_width == 1) run_3x3_by_1(p, &band, &panel, weights, pixel);
      else run_3x3_by_2(p, &band, &panel, weights, pixel);
    }
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return (void)p, 0; }
static void run(const rk_int8_convolution *p) { rk_parallel(convolve, (void *)p); }

const rk_int8_kernel rk_int8_depthwise_dot = {
    "own int8 depthwise avx512 vnni", RK_HAS_AVX512_VNNI, rk_int8_is_depthwise, packed_bytes, pack, scratch, run};

#endif
