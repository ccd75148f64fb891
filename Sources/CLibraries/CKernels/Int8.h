// What the kernels on 8-bit integers share.
#pragma once
#include "CKernels.h"
#include "Team.h"
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define RK_X86 1
#define RK_AVX2 __attribute__((target("avx2")))
#endif

// Bytes agree with any other processor's only where nothing is fused.
#pragma STDC FP_CONTRACT OFF

#define RK_LANES 8  // pixels of a vector
#define RK_PLACES 4
#define RK_QUAD_BYTES 256

// A kernel, a row of the table in Int8Kernels.c: what it runs on, what it takes, how it wants weights, and its scratch
// for each thread. All of them give the same bytes.
#define RK_HAS_AVX2 1u
#define RK_HAS_AVX512_VNNI 2u  // and BW, VL
#define RK_HAS_AVX_VNNI 4u

typedef struct {
  const char *name;
  unsigned needs;  // of the processor, RK_HAS_
  int (*accepts)(const rk_int8_convolution *p);
  int64_t (*packed_bytes)(const rk_int8_convolution *p, const int8_t *weights);
  void (*pack)(const rk_int8_convolution *p, const int8_t *weights, void *packed);
  int64_t (*scratch)(const rk_int8_convolution *p);
  void (*run)(const rk_int8_convolution *p);
} rk_int8_kernel;

extern const rk_int8_kernel rk_int8_bundles, rk_int8_depthwise, rk_int8_winograd, rk_int8_dot_512, rk_int8_dot_256,
    rk_int8_dot_avx, rk_int8_depthwise_dot, rk_int8_winograd_dot, rk_int8_row, rk_int8_plain;

static inline int rk_int8_any(const rk_int8_convolution *p) { return p != 0; }
static inline int rk_int8_is_depthwise(const rk_int8_convolution *p) {
  return p->groups > 1 && p->channels == p->groups && p->out_channels == p->groups;
}

static inline int64_t rk_quotient(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t rk_smaller(int64_t a, int64_t b) { return a < b ? a : b; }
// How many of `left` come next: no more than `most`, and about as many as will be taken each time after.
static inline int64_t rk_next(int64_t left, int64_t most) { return rk_quotient(left, rk_quotient(left, most)); }
static inline int64_t rk_aligned(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

// clamp(rint(v) + zero, low, high); clamped first, so that no float is too large for an integer.
RK_INLINE int32_t rk_int8_rounded(float v, int32_t zero, int32_t low, int32_t high) {
  float least = (float)(low - zero), greatest = (float)(high - zero);
  return (int32_t)rintf(fminf(fmaxf(v, least), greatest)) + zero;
}

// Writes the result for output channel c at `index` of y.
static inline void rk_int8_finish(const rk_int8_convolution *p, int64_t index, int64_t c, int32_t sum) {
  float v = p->scales[c] * (float)sum;
  if (!p->y) {
    p->y_real[index] = v;
    return;
  }
  int32_t q = rk_int8_rounded(v, p->y_zero, p->low, p->high);
  if (p->residual) {
    float own = (float)(q - p->y_zero) * p->q_factor, other = (float)(p->residual[index] - p->r_zero) * p->r_factor;
    q = rk_int8_rounded(own + other, p->sum_zero, p->sum_low, p->sum_high);
  }
  p->y[index] = (uint8_t)q;
}

// Where the vectors of a panel have its output channel c, so that vpackssdw and vpackuswb, which join the same four
// lanes of each vector, bring channels into order: for the kernels with dot products.
static inline int64_t rk_int8_lane(int64_t c, int64_t vectors, int64_t lanes) {
  int64_t four = c / 4;
  return four % vectors * lanes + four / vectors * 4 + c % 4;
}

// Into how many shares output channels and pixels are cut for a team, and which are the calling thread's: what takes
// the busiest one the shortest. `products` and `packing` are cycles or so for one vector of pixels, of a panel and of
// all channels; `weights` are bytes.
typedef struct { int64_t channels, channel, pixels, pixel; } rk_int8_shares;

static inline rk_int8_shares rk_int8_shares_of(int64_t vectors, int64_t panels, double products, double packing,
                                               double weights, int64_t threads) {
  int64_t best = 1, thread = omp_get_thread_num();
  double least = 0;
  for (int64_t shares = 1; shares <= threads; shares++) {
    if (threads % shares) continue;
    double each = (double)rk_quotient(panels, shares) * products + packing;
    double cost = (double)rk_quotient(vectors, threads / shares) * each + weights / (double)shares / 8;
    if (shares == 1 || cost < least) best = shares, least = cost;
  }
  return (rk_int8_shares){best, thread % best, threads / best, thread / best};
}

#ifdef RK_X86

// max(words + zero, low) as bytes, of sums that are at most the highest level: from below, packing cuts.
RK_AVX2 RK_INLINE __m256i rk_int8_levels(__m256i a, __m256i b, __m256i zero, __m256i low) {
  return _mm256_max_epu8(_mm256_packus_epi16(_mm256_adds_epi16(a, zero), _mm256_adds_epi16(b, zero)), low);
}

// What is added to levels.
typedef struct { __m256 q_factor, r_factor, q_zero, r_zero, greatest; __m256i zero, low; } rk_int8_addition;

RK_AVX2 RK_INLINE rk_int8_addition rk_int8_addition_of(const rk_int8_convolution *p) {
  // 2^23 + x, x less than 2^23, has the bits of x below those of 2^23.
  return (rk_int8_addition){_mm256_set1_ps(p->q_factor), _mm256_set1_ps(p->r_factor),
                    _mm256_set1_ps((float)((1 << 23) + p->y_zero)), _mm256_set1_ps((float)((1 << 23) + p->r_zero)),
                    _mm256_set1_ps((float)(p->sum_high - p->sum_zero)), _mm256_set1_epi16((int16_t)p->sum_zero),
                    _mm256_set1_epi8((char)p->sum_low)};
}

// Adds a quarter of the levels of a residual, which are words, to those of a result.
RK_AVX2 RK_INLINE __m256i rk_int8_add_words(__m256i q, __m256i r, const int is_high, const rk_int8_addition *with) {
  const __m256i exponent = _mm256_set1_epi16(0x4b00);
  q = is_high ? _mm256_unpackhi_epi16(q, exponent) : _mm256_unpacklo_epi16(q, exponent);
  r = is_high ? _mm256_unpackhi_epi16(r, exponent) : _mm256_unpacklo_epi16(r, exponent);
  __m256 own = _mm256_mul_ps(_mm256_sub_ps(_mm256_castsi256_ps(q), with->q_zero), with->q_factor);
  __m256 other = _mm256_mul_ps(_mm256_sub_ps(_mm256_castsi256_ps(r), with->r_zero), with->r_factor);
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_add_ps(own, other), with->greatest));
}

// Adds the levels of a residual to those of a result, byte by byte.
RK_AVX2 RK_INLINE __m256i rk_int8_add_residual(__m256i q, __m256i r, const rk_int8_addition *with) {
  const __m256i none = _mm256_setzero_si256();
  __m256i q_low = _mm256_unpacklo_epi8(q, none), q_high = _mm256_unpackhi_epi8(q, none);
  __m256i r_low = _mm256_unpacklo_epi8(r, none), r_high = _mm256_unpackhi_epi8(r, none);
  __m256i a = rk_int8_add_words(q_low, r_low, 0, with), b = rk_int8_add_words(q_low, r_low, 1, with);
  __m256i c = rk_int8_add_words(q_high, r_high, 0, with), d = rk_int8_add_words(q_high, r_high, 1, with);
  return rk_int8_levels(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d), with->zero, with->low);
}

// Of 8 rows 16 bytes each, which are four times 4 places: [places][row], the first `count` of them.
RK_AVX2 RK_INLINE void rk_int8_turn_rows(const uint8_t *const row[RK_LANES], int64_t start, uint8_t *y, int64_t count) {
  __m256i x[4];
  for (int i = 0; i < 4; i++) {
    __m128i low = _mm_loadu_si128((const void *)(row[i] + start));
    __m128i high = _mm_loadu_si128((const void *)(row[i + 4] + start));
    x[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }
  __m256i a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpacklo_epi32(x[2], x[3]);
  __m256i c = _mm256_unpackhi_epi32(x[0], x[1]), d = _mm256_unpackhi_epi32(x[2], x[3]);
  _mm256_store_si256((void *)y, _mm256_unpacklo_epi64(a, b));
  if (count > 1) _mm256_store_si256((void *)(y + RK_QUAD_BYTES), _mm256_unpackhi_epi64(a, b));
  if (count > 2) _mm256_store_si256((void *)(y + 2 * RK_QUAD_BYTES), _mm256_unpacklo_epi64(c, d));
  if (count > 3) _mm256_store_si256((void *)(y + 3 * RK_QUAD_BYTES), _mm256_unpackhi_epi64(c, d));
}

// The levels of one channel for `vectors` times 8 pixels, at most 8. Whole fours are written.
RK_AVX2 RK_INLINE void rk_int8_round_sums(const rk_int8_convolution *p, int64_t channel, const __m256i *sum,
                                          uint8_t *result, const int vectors) {
  const __m256 scale = _mm256_set1_ps(p->scales[channel]), greatest = _mm256_set1_ps((float)(p->high - p->y_zero));
  const __m256i zero = _mm256_set1_epi16((int16_t)p->y_zero), low = _mm256_set1_epi8((char)p->low);
#pragma clang loop unroll(full)
  for (int i = 0; i < vectors; i += 4) {
    __m256i v[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) {
      __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[i + j < vectors ? i + j : i]), scale);
      v[j] = _mm256_cvtps_epi32(_mm256_min_ps(real, greatest));
    }
    __m256i bytes = rk_int8_levels(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]), zero, low);
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_store_si256((void *)(result + i * RK_LANES), bytes);
  }
}

// Turns the results of up to 16 channels, [channel][pixel] with `stride` bytes for a channel, adds the residual, and
// writes them. offsets[i] is where in y the first channel of pixel i would be if it were channel 0, or negative where
// there is no such pixel; results have `count` pixels, rounded up to 32, to read.
void rk_int8_write_turned(const rk_int8_convolution *p, const uint8_t *results, int64_t stride, int64_t channel,
                          int64_t channels, const int64_t *offsets, int64_t count);

#endif
