#include "CKernels.h"
#include "Team.h"
#include <math.h>
#include <string.h>

// One head of one sample at a time: its queries, keys and values are brought together first, rows padded to LANES, so
// that all products are of small dense matrices in the nearer caches. The way back computes the softmax again instead
// of keeping it, and takes the samples of a head in order, so that sums do not depend on the number of threads.

enum { LANES = 16, TALL = 6 };
typedef float lanes __attribute__((ext_vector_type(16)));
typedef int32_t words __attribute__((ext_vector_type(16)));
#define AT(p) (*(lanes *)(p))
#define AT_CONST(p) (*(const lanes *)(p))

static inline int64_t padded(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

// c (+)= a b for one tile of `rows` x `vectors` * LANES; a's element (r, k) lies at r * a_row + k * a_step.
RK_INLINE void tile(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row, float *c,
                    int64_t c_row, int64_t inner, int adds, const int rows, const int vectors) {
  lanes sum[TALL][4];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = adds ? AT(c + r * c_row + v * LANES) : (lanes)0;
  for (int64_t k = 0; k < inner; k++) {
    lanes y[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) y[v] = AT_CONST(b + k * b_row + v * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      float x = a[r * a_row + k * a_step];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] += x * y[v];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) AT(c + r * c_row + v * LANES) = sum[r][v];
}

RK_INLINE void row_of_tiles(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row, float *c,
                            int64_t c_row, int64_t inner, int64_t vectors, int adds, const int rows, const int wide) {
  int64_t v = 0;
  for (; v + wide <= vectors; v += wide)
    tile(a, a_row, a_step, b + v * LANES, b_row, c + v * LANES, c_row, inner, adds, rows, wide);
  for (; v < vectors; v++)
    tile(a, a_row, a_step, b + v * LANES, b_row, c + v * LANES, c_row, inner, adds, rows, 1);
}

RK_INLINE void rows_of_tiles(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row, float *c,
                             int64_t c_row, int64_t rows, int64_t inner, int64_t vectors, int adds, const int wide) {
  int64_t r = 0;
  for (; r + TALL <= rows; r += TALL)
    row_of_tiles(a + r * a_row, a_row, a_step, b, b_row, c + r * c_row, c_row, inner, vectors, adds, TALL, wide);
  for (; r + 2 <= rows; r += 2)
    row_of_tiles(a + r * a_row, a_row, a_step, b, b_row, c + r * c_row, c_row, inner, vectors, adds, 2, wide);
  if (r < rows)
    row_of_tiles(a + r * a_row, a_row, a_step, b, b_row, c + r * c_row, c_row, inner, vectors, adds, 1, wide);
}

// A tile's sums stay in registers: 24 of 32 with AVX-512, 12 of 16 with AVX2, where each of LANES takes two.
RK_CLONES static void multiply_wide(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row,
                                    float *c, int64_t c_row, int64_t rows, int64_t inner, int64_t vectors, int adds) {
  rows_of_tiles(a, a_row, a_step, b, b_row, c, c_row, rows, inner, vectors, adds, 4);
}
// "avx2" alone is without the fused MAC, "arch=haswell" would be for that one processor.
__attribute__((target_clones("fma", "default")))
static void multiply_narrow(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row, float *c,
                            int64_t c_row, int64_t rows, int64_t inner, int64_t vectors, int adds) {
  rows_of_tiles(a, a_row, a_step, b, b_row, c, c_row, rows, inner, vectors, adds, 1);
}
// c (+)= a b: rows x inner by inner x vectors * LANES.
static void multiply(const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row, float *c,
                     int64_t c_row, int64_t rows, int64_t inner, int64_t vectors, int adds) {
  (rk_channel_block() == 16 ? multiply_wide : multiply_narrow)(
      a, a_row, a_step, b, b_row, c, c_row, rows, inner, vectors, adds);
}

// x = exp(x) for x <= 0, to about one unit in the last place; what is below -87 counts as -87. With n = round(x / ln 2),
// 2^n times the series of exp(x - n ln 2) to the seventh power.
// By pointer, as sums are, since a vector may not be passed between functions that are compiled for different processors.
RK_INLINE void exponentiate(lanes *target) {
  const float shift = 12582912;  // 1.5 * 2^23: adding it leaves the whole part in the last bits
  lanes x = *target < -87 ? (lanes)-87 : *target;  // keeps a NaN
  lanes shifted = x * 1.44269504f + shift;
  lanes n = shifted - shift;
  lanes f = x - n * 0.693145752f;
  f = f - n * 1.42860677e-6f;
  lanes y = f * (1.0f / 5040) + 1.0f / 720;
  y = y * f + 1.0f / 120;
  y = y * f + 1.0f / 24;
  y = y * f + 1.0f / 6;
  y = y * f + 0.5f;
  y = y * f + 1;
  y = y * f + 1;
  union { float number; int32_t word; } offset = {shift};
  union { lanes numbers; words bits; } power = {shifted};
  power.bits = (power.bits - offset.word + 127) << 23;
  *target = y * power.numbers;
}

RK_INLINE float sum_of(const lanes *x) {
  float half[LANES / 2];
  for (int i = 0; i < LANES / 2; i++) half[i] = (*x)[i] + (*x)[i + LANES / 2];
  return (half[0] + half[4] + (half[2] + half[6])) + (half[1] + half[5] + (half[3] + half[7]));
}

// Softmax of each row; what lies between `count` and the padded end must be -INFINITY, and adds nothing that a sum of at
// least 1 would feel.
RK_CLONES static void softmax_rows(float *x, int64_t rows, int64_t count) {
  int64_t width = padded(count);
  for (int64_t r = 0; r < rows; r++, x += width) {
    lanes most = AT(x);
    for (int64_t i = LANES; i < width; i += LANES) most = AT(x + i) > most ? AT(x + i) : most;
    float highest = __builtin_reduce_max(most);
    lanes sums = 0;
    for (int64_t i = 0; i < width; i += LANES) {
      lanes y = AT(x + i) - highest;
      exponentiate(&y);
      AT(x + i) = y;
      sums += y;
    }
    float factor = 1 / sum_of(&sums);
    for (int64_t i = 0; i < width; i += LANES) AT(x + i) *= factor;
  }
}

// x = x * (dx - sum(x * dx)): from softmax and the gradient of its result to the gradient of what it was taken of.
RK_CLONES static void softmax_rows_backward(float *x, const float *dx, int64_t rows, int64_t count) {
  int64_t width = padded(count);
  for (int64_t r = 0; r < rows; r++, x += width, dx += width) {
    for (int64_t i = count; i < width; i++) x[i] = 0;
    lanes sums = 0;
    for (int64_t i = 0; i < width; i += LANES) sums += AT(x + i) * AT_CONST(dx + i);
    float sum = sum_of(&sums);
    for (int64_t i = 0; i < width; i += LANES) AT(x + i) *= AT_CONST(dx + i) - sum;
  }
}

// The biases of one head, reordered so that those of the pixels of a row follow each other.
typedef struct { float *offsets, *special; int64_t height, width; } bias;

static bias bias_of(const rk_attention *p, float *room) {
  int64_t count = (2 * p->grid_height - 1) * (2 * p->grid_width - 1);
  return (bias){room, room + count, p->grid_height, p->grid_width};
}
static int64_t bias_count(const rk_attention *p) {
  return padded((2 * p->grid_height - 1) * (2 * p->grid_width - 1) + 3);
}
static void gather(const rk_attention *p, int64_t head, bias b) {
  int64_t count = b.special - b.offsets;
  for (int64_t i = 0; i < count; i++) b.offsets[count - 1 - i] = p->table[i * p->heads + head];
  for (int64_t i = 0; i < 3; i++) b.special[i] = p->table[(count + i) * p->heads + head];
}
static void scatter(const rk_attention *p, int64_t head, bias b) {
  int64_t count = b.special - b.offsets;
  for (int64_t i = 0; i < count; i++) p->dtable[i * p->heads + head] = b.offsets[count - 1 - i];
  for (int64_t i = 0; i < 3; i++) p->dtable[(count + i) * p->heads + head] = b.special[i];
}
// Where the biases of a token towards the pixels of row y begin.
static inline float *towards(bias b, int64_t token, int64_t y) {
  int64_t row = (token - 1) / b.width, column = (token - 1) % b.width;
  return b.offsets + (b.height - 1 - row + y) * (2 * b.width - 1) + b.width - 1 - column;
}
static void write_bias(bias b, int64_t token, float *row) {
  int64_t tokens = 1 + b.height * b.width;
  row[0] = b.special[token == 0 ? 2 : 1];
  if (token == 0)
    for (int64_t i = 1; i < tokens; i++) row[i] = b.special[0];
  else
    for (int64_t y = 0; y < b.height; y++)
      memcpy(row + 1 + y * b.width, towards(b, token, y), (size_t)b.width * sizeof(float));
  for (int64_t i = tokens; i < padded(tokens); i++) row[i] = -INFINITY;
}
static void add_to_bias(bias b, int64_t token, const float *row) {
  b.special[token == 0 ? 2 : 1] += row[0];
  if (token == 0)
    for (int64_t i = 1; i < 1 + b.height * b.width; i++) b.special[0] += row[i];
  else
    for (int64_t y = 0; y < b.height; y++) {
      float *to = towards(b, token, y);
      for (int64_t x = 0; x < b.width; x++) to[x] += row[1 + y * b.width + x];
    }
}

// target[t][f] = (x[t * step + f] + bias[f]) * factor, with zeros up to the padded end of each row.
RK_CLONES static void pack(const float *x, int64_t step, const float *bias, float factor, int64_t tokens,
                           int64_t features, float *target) {
  int64_t width = padded(features);
  for (int64_t t = 0; t < tokens; t++, x += step, target += width) {
    for (int64_t f = 0; f < features; f++) target[f] = bias ? (x[f] + bias[f]) * factor : x[f];
    for (int64_t f = features; f < width; f++) target[f] = 0;
  }
}
// target[f][t] = x[t * step + f] + bias[f], with zeros up to the padded end of each row.
RK_CLONES static void pack_turned(const float *x, int64_t step, const float *bias, int64_t tokens, int64_t features,
                                  float *target) {
  int64_t width = padded(tokens);
  for (int64_t f = 0; f < features; f++)
    for (int64_t t = tokens; t < width; t++) target[f * width + t] = 0;
  for (int64_t from = 0; from < tokens; from += LANES) {
    int64_t to = from + LANES < tokens ? from + LANES : tokens;
    for (int64_t f = 0; f < features; f++) {
      float term = bias ? bias[f] : 0;
      for (int64_t t = from; t < to; t++) target[f * width + t] = x[t * step + f] + term;
    }
  }
}

int64_t rk_attention_scratch(const rk_attention *p, int backward) {
  int64_t rows = p->tokens * padded(p->features), columns = p->features * padded(p->tokens);
  int64_t forward = 2 * rows + columns + TALL * (padded(p->tokens) + padded(p->features)) + bias_count(p);
  return backward ? 4 * rows + 2 * columns + 2 * p->tokens * padded(p->tokens) + 2 * bias_count(p) : forward;
}

static void forward_body(void *opaque) {
  const rk_attention *p = opaque;
  int64_t tokens = p->tokens, features = p->features, all = p->heads * features;
  int64_t wide = padded(tokens), each = padded(features);
  float *q = p->scratch + omp_get_thread_num() * rk_attention_scratch(p, 0);
  float *v = q + tokens * each, *k = v + tokens * each, *shares = k + features * wide;
  float *y = shares + TALL * wide;
  bias b = bias_of(p, y + TALL * each);
  float scale = 1 / sqrtf((float)features);
  rk_range range = rk_share(p->batch * p->heads, 1);
  for (int64_t item = range.from; item < range.to; item++) {
    int64_t n = item / p->heads, head = item % p->heads;
    const float *x = p->qkv + n * tokens * 3 * all + head * features;
    gather(p, head, b);
    pack(x, 3 * all, p->q_bias + head * features, scale, tokens, features, q);
    pack_turned(x + all, 3 * all, 0, tokens, features, k);
    pack(x + 2 * all, 3 * all, p->v_bias + head * features, 1, tokens, features, v);
    for (int64_t t = 0; t < tokens; t += TALL) {
      int64_t rows = tokens - t < TALL ? tokens - t : TALL;
      for (int64_t r = 0; r < rows; r++) write_bias(b, t + r, shares + r * wide);
      multiply(q + t * each, each, 1, k, wide, shares, wide, rows, features, wide / LANES, 1);
      softmax_rows(shares, rows, tokens);
      multiply(shares, wide, 1, v, each, y, each, rows, tokens, each / LANES, 0);
      for (int64_t r = 0; r < rows; r++)
        memcpy(p->y + (n * tokens + t + r) * all + head * features, y + r * each, (size_t)features * sizeof(float));
    }
  }
}
void rk_attention_forward(const rk_attention *p) { rk_parallel(forward_body, (void *)p); }

// dx[t * step + f] = y[t][f] * factor; sums gets the sum over tokens, added up, where it is not NULL.
RK_CLONES static void unpack(const float *y, float factor, int64_t tokens, int64_t features, float *dx, int64_t step,
                             float *sums) {
  int64_t width = padded(features);
  for (int64_t t = 0; t < tokens; t++, y += width, dx += step)
    for (int64_t f = 0; f < features; f++) {
      dx[f] = y[f] * factor;
      if (sums) sums[f] += y[f] * factor;
    }
}

static void backward_body(void *opaque) {
  const rk_attention *p = opaque;
  int64_t tokens = p->tokens, features = p->features, all = p->heads * features;
  int64_t wide = padded(tokens), each = padded(features);
  float *q = p->scratch + omp_get_thread_num() * rk_attention_scratch(p, 1);
  float *k = q + tokens * each, *dy = k + tokens * each, *result = dy + tokens * each;
  float *turned_k = result + tokens * each, *turned_v = turned_k + features * wide;
  float *shares = turned_v + features * wide, *dshares = shares + tokens * wide;
  bias b = bias_of(p, dshares + tokens * wide), db = bias_of(p, dshares + tokens * wide + bias_count(p));
  float scale = 1 / sqrtf((float)features);
  rk_range range = rk_share(p->heads, 1);
  for (int64_t head = range.from; head < range.to; head++) {
    gather(p, head, b);
    memset(db.offsets, 0, (size_t)bias_count(p) * sizeof(float));
    float *dq_bias = p->dq_bias + head * features, *dv_bias = p->dv_bias + head * features;
    for (int64_t f = 0; f < features; f++) dq_bias[f] = dv_bias[f] = 0;
    for (int64_t n = 0; n < p->batch; n++) {
      const float *x = p->qkv + n * tokens * 3 * all + head * features;
      float *dx = p->dqkv + n * tokens * 3 * all + head * features;
      pack(x, 3 * all, p->q_bias + head * features, scale, tokens, features, q);
      pack(x + all, 3 * all, 0, 1, tokens, features, k);
      pack_turned(x + all, 3 * all, 0, tokens, features, turned_k);
      pack_turned(x + 2 * all, 3 * all, p->v_bias + head * features, tokens, features, turned_v);
      pack(p->dy + n * tokens * all + head * features, all, 0, 1, tokens, features, dy);

      for (int64_t t = 0; t < tokens; t++) write_bias(b, t, shares + t * wide);
      multiply(q, each, 1, turned_k, wide, shares, wide, tokens, features, wide / LANES, 1);
      softmax_rows(shares, tokens, tokens);
      multiply(shares, 1, wide, dy, each, result, each, tokens, tokens, each / LANES, 0);
      unpack(result, 1, tokens, features, dx + 2 * all, 3 * all, dv_bias);

      multiply(dy, each, 1, turned_v, wide, dshares, wide, tokens, features, wide / LANES, 0);
      softmax_rows_backward(shares, dshares, tokens, tokens);
      for (int64_t t = 0; t < tokens; t++) add_to_bias(db, t, shares + t * wide);
      multiply(shares, wide, 1, k, each, result, each, tokens, tokens, each / LANES, 0);
      unpack(result, scale, tokens, features, dx, 3 * all, dq_bias);
      multiply(shares, 1, wide, q, each, result, each, tokens, tokens, each / LANES, 0);
      unpack(result, 1, tokens, features, dx + all, 3 * all, 0);
    }
    scatter(p, head, db);
  }
}
void rk_attention_backward(const rk_attention *p) { rk_parallel(backward_body, (void *)p); }
