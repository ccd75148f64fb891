// Convolutions of 3 x 3 with a stride of 1 on 8-bit integers, by Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin
// and Gray, arXiv:1509.09308, section 4.3), for processors with AVX-512 VNNI. 36 multiplications of 16 bits, which take
// as long as 72 of 8, give what else takes 144.
//
// All of it is exact. Transformed pixels need 15 bits and a sign, 68 * 255 at most; transformed weights, scaled so that
// they are integers, as many, 144 * 128. Sums wrap, so that of 576 times the answer the last 32 bits are known. Divided
// by 9, which is odd, and by 64, they leave 26 bits of the answer: enough where no channel's weights of one sign sum up
// to more than 131,585. Else weights are packed for the direct kernel, which then runs.
//
// A tile is 4 x 4 pixels of the answer and 6 x 6 of the image. Pixels are transformed to [place][tile][channel]; for
// each place, tiles are multiplied with weights as Int8Dot.c does it, with pairs of channels instead of fours. Weights
// are [panel of 64 output channels][place][pair of channels][vector][lane][channel of the pair], after 64 bytes that
// say whether they are transformed.
#include "Int8.h"

#ifdef RK_X86

#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define LANES 16
#include "Int8RoundBlock.h"

enum {
  side = 6, places = side * side,  // of a transformed tile
  answer = 4,                      // pixels
  most_tiles = 16,
  at_once = 6,                     // tiles whose sums stay in registers
  per_panel = 64,
  most_sum = 131585,
  header = 64
};

typedef struct {
  const rk_int8_convolution *p;
  int64_t tile_rows, tile_columns, tiles, panels;
  int64_t together;  // tiles at a time
  // Bytes from one place to the next; caches dislike powers of 2.
  int64_t pixels_step, sums_step;
  // The scratch of one thread, in bytes: transformed pixels, sums of a panel, a pixel outside.
  int64_t pixels, sums, total;
} job;

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p};
  job.tile_rows = rk_quotient(p->out_height, answer), job.tile_columns = rk_quotient(p->out_width, answer);
  job.tiles = p->batch * job.tile_rows * job.tile_columns;
  job.panels = rk_quotient(p->out_channels, per_panel);
  job.together = rk_smaller(most_tiles, job.tiles);
  job.pixels_step = (job.together * p->channels * (int64_t)sizeof(int16_t) / 64 | 1) * 64;
  if (job.pixels_step < job.together * p->channels * (int64_t)sizeof(int16_t)) job.pixels_step += 128;
  job.sums_step = (job.together * 4 + 1) * 64;
  job.pixels = places * job.pixels_step, job.sums = places * job.sums_step;
  job.total = job.pixels + job.sums + rk_aligned(p->channels);
  return job;
}

// With less, transforming and reading transformed weights takes longer than what is saved.
static int accepts(const rk_int8_convolution *p) {
  return p->channels % 32 == 0 && p->out_channels >= 32 && p->groups == 1 && p->kernel_height == 3 &&
         p->kernel_width == 3 && p->stride_height == 1 && p->stride_width == 1 && p->dilation_height == 1 &&
         p->dilation_width == 1 &&
         p->batch * rk_quotient(p->out_height, answer) * rk_quotient(p->out_width, answer) >= 16;
}

// B'd of six numbers, which lie `step` vectors apart.
TARGET RK_INLINE void transform_six(__m512i *d, const int step) {
#define ADD _mm512_add_epi16
#define SUB _mm512_sub_epi16
#define TIMES_4(x) _mm512_slli_epi16(x, 2)
  __m512i d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  __m512i a = SUB(d4, TIMES_4(d2)), b = SUB(d3, TIMES_4(d1)), c = SUB(d4, d2), e = SUB(d3, d1), f = ADD(e, e);
  d[0] = ADD(TIMES_4(SUB(d0, d2)), c);
  d[step] = ADD(a, b), d[2 * step] = SUB(a, b), d[3 * step] = ADD(c, f), d[4 * step] = SUB(c, f);
  d[5 * step] = SUB(SUB(d5, d3), ADD(f, f));
#undef ADD
#undef SUB
#undef TIMES_4
}

TARGET static void transform_tile(const job *job, int64_t tile, uint8_t *pixels, const uint8_t *outside) {
  const rk_int8_convolution *p = job->p;
  int64_t column = tile % job->tile_columns * answer - p->pad_left, tile_row = tile / job->tile_columns;
  int64_t line = tile_row % job->tile_rows * answer - p->pad_top, image = tile_row / job->tile_rows;
  const uint8_t *at[side][side];
  for (int64_t i = 0; i < side; i++) {
    int64_t y = line + i;
    for (int64_t j = 0; j < side; j++) {
      int64_t x = column + j;
      int is_inside = y >= 0 && y < p->height && x >= 0 && x < p->width;
      at[i][j] = is_inside ? p->x + ((image * p->height + y) * p->width + x) * p->channels : outside;
    }
  }
  int64_t step = job->pixels_step;
  for (int64_t c = 0; c < p->channels; c += 32, pixels += 64) {
    __m512i d[places];
#pragma clang loop unroll(full)
    for (int j = 0; j < side; j++) {
#pragma clang loop unroll(full)
      for (int i = 0; i < side; i++) {
        d[i * side + j] = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(at[i][j] + c)));
      }
      transform_six(d + j, side);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < side; i++) {
      transform_six(d + i * side, 1);
#pragma clang loop unroll(full)
      for (int j = 0; j < side; j++) _mm512_store_si512(pixels + (i * side + j) * step, d[i * side + j]);
    }
  }
}

// Adds the products of two 16-bit integers to each lane. Written out, since clang makes a product and a sum of the
// intrinsic, which takes longer.
TARGET RK_INLINE __m512i dot_pair(__m512i sum, __m512i x, __m512i w) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
  return sum;
}

// The sums of some tiles at one place, in the output channels of a panel.
TARGET RK_INLINE void multiply(const uint8_t *pixels, int64_t stride, const uint8_t *weights, int64_t pairs,
                               __m512i *sums, const int tiles, const int vectors) {
  __m512i sum[at_once][4];
  // Written so that no compiler takes it for memset, nor the last loop for memcpy, which would keep sums in memory.
#pragma clang loop unroll(full)
  for (int j = 0; j < vectors; j++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < tiles; i++) sum[i][j] = _mm512_setzero_si512();
  }
  const uint8_t *rows[at_once];
#pragma clang loop unroll(full)
  for (int i = 0; i < tiles; i++) rows[i] = pixels + i * stride;
  for (int64_t k = 0; k < pairs; k++, weights += vectors * 64) {
    __m512i w[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) w[j] = _mm512_load_si512(weights + j * 64);
#pragma clang loop unroll(full)
    for (int i = 0; i < tiles; i++) {
      int32_t pair;
      memcpy(&pair, rows[i] + k * 4, 4);
      __m512i x = _mm512_set1_epi32(pair);
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) sum[i][j] = dot_pair(sum[i][j], x, w[j]);
    }
  }
#pragma clang loop unroll(full)
  for (int j = 0; j < vectors; j++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < tiles; i++) _mm512_store_si512(sums + i * 4 + j, sum[i][j]);
  }
}

TARGET RK_INLINE void multiply_tiles(const uint8_t *pixels, int64_t stride, const uint8_t *weights, int64_t pairs,
                                     __m512i *sums, int64_t tiles, const int vectors) {
  int64_t shares = rk_quotient(tiles, at_once), each = tiles / shares, larger = tiles % shares;
  while (tiles > 0) {
    int64_t own = each + (larger-- > 0);
    switch (own) {
    case 1: multiply(pixels, stride, weights, pairs, sums, 1, vectors); break;
    case 2: multiply(pixels, stride, weights, pairs, sums, 2, vectors); break;
    case 3: multiply(pixels, stride, weights, pairs, sums, 3, vectors); break;
    case 4: multiply(pixels, stride, weights, pairs, sums, 4, vectors); break;
    case 5: multiply(pixels, stride, weights, pairs, sums, 5, vectors); break;
    case 6: multiply(pixels, stride, weights, pairs, sums, 6, vectors); break;
    }
    tiles -= own, pixels += own * stride, sums += own * 4;
  }
}

// A'm of six sums, 24 times.
TARGET RK_INLINE void untransform_six(const __m512i m[side], __m512i y[answer]) {
#define ADD _mm512_add_epi32
#define SUB _mm512_sub_epi32
  __m512i a = ADD(m[1], m[2]), b = SUB(m[1], m[2]), c = ADD(m[3], m[4]), d = SUB(m[3], m[4]);
  y[0] = ADD(m[0], ADD(a, c));
  y[1] = ADD(b, ADD(d, d));
  y[2] = ADD(a, _mm512_slli_epi32(c, 2));
  y[3] = ADD(ADD(b, _mm512_slli_epi32(d, 3)), ADD(m[5], ADD(m[5], m[5])));
#undef ADD
#undef SUB
}

// The answers of a tile in 16 output channels: of pixel i those from answers[4 * i] on.
TARGET RK_INLINE void untransform(const uint8_t *sums, int64_t step, __m512i bias, __m512i *answers) {
  __m512i rows[answer][side];
#pragma clang loop unroll(full)
  for (int j = 0; j < side; j++) {
    __m512i m[side], y[answer];
#pragma clang loop unroll(full)
    for (int i = 0; i < side; i++) m[i] = _mm512_load_si512(sums + (i * side + j) * step);
    untransform_six(m, y);
#pragma clang loop unroll(full)
    for (int i = 0; i < answer; i++) rows[i][j] = y[i];
  }
  const __m512i ninth = _mm512_set1_epi32(0x38e38e39);  // 9 times it is 1, in float32
#pragma clang loop unroll(full)
  for (int i = 0; i < answer; i++) {
    __m512i y[answer];
    untransform_six(rows[i], y);
#pragma clang loop unroll(full)
    for (int j = 0; j < answer; j++) {
      __m512i whole = _mm512_srai_epi32(_mm512_mullo_epi32(y[j], ninth), 6);
      _mm512_store_si512(answers + (i * answer + j) * 4, _mm512_add_epi32(whole, bias));
    }
  }
}

TARGET RK_INLINE void finish_tile(const job *job, const panel_512 *panel, int64_t tile, const uint8_t *sums,
                                  const int vectors) {
  const rk_int8_convolution *p = job->p;
  __m512i answers[answer * answer][4];
#pragma clang loop unroll(full)
  for (int j = 0; j < vectors; j++) untransform(sums + j * 64, job->sums_step, panel->bias[j], &answers[0][j]);
  int64_t column = tile % job->tile_columns * answer, tile_row = tile / job->tile_columns;
  int64_t line = tile_row % job->tile_rows * answer, image = tile_row / job->tile_rows;
  int64_t columns = rk_smaller(answer, p->out_width - column), lines = rk_smaller(answer, p->out_height - line);
  const rounding_512 by = panel->rounding;
  int is_plain = p->y && !p->residual && panel->channels == per_panel;
  for (int64_t i = 0; i < lines; i++) {
    int64_t pixel = (image * p->out_height + line + i) * p->out_width + column;
    for (int64_t j = 0; j < columns; j++, pixel++) {
      const __m512i (*sum)[4] = (const __m512i (*)[4])(answers + i * answer + j);
      if (is_plain) round_sums_512(panel, &by, *sum, p->y + pixel * p->out_channels + panel->channel, 0, vectors, 1);
      else finish_512(p, panel, sum, pixel, 1, vectors);
    }
  }
}

TARGET RK_INLINE void run_panel(const job *job, int64_t panel, int64_t tile, int64_t count, const uint8_t *pixels,
                                uint8_t *sums, const int vectors) {
  const rk_int8_convolution *p = job->p;
  int64_t channel = panel * per_panel, pairs = p->channels / 2;
  panel_512 own = panel_of_512(p, channel, rk_smaller(per_panel, p->out_channels - channel), vectors);
  const uint8_t *weights = (const uint8_t *)p->weights + header + channel * places * p->channels * 2;
  for (int64_t place = 0; place < places; place++, weights += pairs * vectors * 64) {
    multiply_tiles(pixels + place * job->pixels_step, p->channels * 2, weights, pairs,
                   (void *)(sums + place * job->sums_step), count, vectors);
  }
  for (int64_t i = 0; i < count; i++) finish_tile(job, &own, tile + i, sums + i * 4 * 64, vectors);
}

TARGET static void convolve(void *context) {
  const job *job = context;
  const rk_int8_convolution *p = job->p;
  uint8_t *pixels = (uint8_t *)rk_aligned((intptr_t)p->scratch) + omp_get_thread_num() * job->total;
  uint8_t *sums = pixels + job->pixels, *outside = sums + job->sums;
  memset(outside, p->zero, p->channels);
  double products = (double)places * per_panel * (double)p->channels / 32;
  rk_int8_shares shares =
      rk_int8_shares_of(job->tiles, job->panels, products, (double)p->channels * 6,
                        (double)job->panels * per_panel * (double)p->channels * places * 2, omp_get_num_threads());
  int64_t first = job->panels * shares.channel / shares.channels;
  int64_t last = job->panels * (shares.channel + 1) / shares.channels;
  int64_t tile = job->tiles * shares.pixel / shares.pixels, end = job->tiles * (shares.pixel + 1) / shares.pixels;
  while (tile < end && first < last) {
    int64_t count = rk_next(end - tile, job->together);
    for (int64_t i = 0; i < count; i++) transform_tile(job, tile + i, pixels + i * p->channels * 2, outside);
    for (int64_t panel = first; panel < last; panel++) {
      switch (rk_quotient(rk_smaller(per_panel, p->out_channels - panel * per_panel), 16)) {
      case 1: run_panel(job, panel, tile, count, pixels, sums, 1); break;
      case 2: run_panel(job, panel, tile, count, pixels, sums, 2); break;
      case 3: run_panel(job, panel, tile, count, pixels, sums, 3); break;
      case 4: run_panel(job, panel, tile, count, pixels, sums, 4); break;
      }
    }
    tile += count;
  }
}

// Whether sums of these weights and bytes fit into 26 bits.
static int is_small(const rk_int8_convolution *p, const int8_t *weights) {
  for (int64_t o = 0; o < p->out_channels; o++) {
    int64_t positive = 0, negative = 0;
    for (int64_t i = 0; i < 9 * p->channels; i++, weights++) {
      if (*weights > 0) positive += *weights;
      else negative -= *weights;
    }
    if (positive > most_sum || negative > most_sum) return 0;
  }
  return 1;
}

static int64_t packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  if (!is_small(p, weights)) return header + rk_int8_dot_512.packed_bytes(p, weights);
  return header + rk_quotient(p->out_channels, 16) * 16 * places * p->channels * 2;
}

// G w of three weights, scaled to integers so that A' has 24 times the answer.
static void transform_three(int a, int b, int c, int all[side]) {
  all[0] = 6 * a, all[1] = -4 * (a + b + c), all[2] = -4 * (a - b + c);
  all[3] = a + 2 * b + 4 * c, all[4] = a - 2 * b + 4 * c, all[5] = 8 * c;
}

static void pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  int is_transformed = is_small(p, weights);
  memset(packed, 0, header);
  memcpy(packed, &is_transformed, sizeof is_transformed);
  uint8_t *start = (uint8_t *)packed + header;
  if (!is_transformed) {
    rk_int8_dot_512.pack(p, weights, start);
    return;
  }
  memset(start, 0, packed_bytes(p, weights) - header);
  for (int64_t o = 0; o < p->out_channels; o++) {
    int64_t panel = o / per_panel * per_panel;
    int64_t vectors = rk_quotient(rk_smaller(per_panel, p->out_channels - panel), 16);
    int16_t *from = (int16_t *)(start + panel * places * p->channels * 2);
    int64_t lane = rk_int8_lane(o - panel, vectors, 16);
    for (int64_t c = 0; c < p->channels; c++, weights += 9) {
      int columns[3][side];
      for (int j = 0; j < 3; j++) transform_three(weights[j], weights[3 + j], weights[6 + j], columns[j]);
      for (int i = 0; i < side; i++) {
        int row[side];
        transform_three(columns[0][i], columns[1][i], columns[2][i], row);
        for (int j = 0; j < side; j++) {
          from[(((i * side + j) * (p->channels / 2) + c / 2) * vectors * 16 + lane) * 2 + c % 2] = (int16_t)row[j];
        }
      }
    }
  }
}

static int64_t scratch(const rk_int8_convolution *p) {
  int64_t direct = rk_int8_dot_512.scratch(p), own = job_of(p).total;
  return direct > own ? direct : own;
}

static void run(const rk_int8_convolution *p) {
  int is_transformed;
  memcpy(&is_transformed, p->weights, sizeof is_transformed);
  if (is_transformed) {
    job job = job_of(p);
    rk_parallel(convolve, &job);
  } else {
    rk_int8_convolution direct = *p;
    direct.weights = (const uint8_t *)p->weights + header;
    rk_int8_dot_512.run(&direct);
  }
}

const rk_int8_kernel rk_int8_winograd_dot = {
    "own int8 winograd avx512 vnni", RK_HAS_AVX512_VNNI, accepts, packed_bytes, pack, scratch, run};

#endif
