#include "CKernels.h"
#include "Team.h"
#include <math.h>
#include <string.h>

typedef struct { const float *a, *b; float *y; int64_t count; } pair;

RK_CLONES static void add_range(const float *a, const float *b, float *y, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) y[i] = a[i] + b[i];
}
static void add_body(void *opaque) {
  pair *p = opaque;
  rk_range share = rk_share(p->count, 64);
  add_range(p->a, p->b, p->y, share.from, share.to);
}
void rk_add(const float *a, const float *b, float *y, int64_t count) {
  pair p = {a, b, y, count};
  GOMP_parallel(add_body, &p, 0, 0);
}

static void zero_body(void *opaque) {
  pair *p = opaque;
  rk_range share = rk_share(p->count, 1024);
  memset(p->y + share.from, 0, (size_t)(share.to - share.from) * sizeof(float));
}
void rk_zero(float *x, int64_t count) {
  pair p = {0, 0, x, count};
  GOMP_parallel(zero_body, &p, 0, 0);
}

static void copy_body(void *opaque) {
  pair *p = opaque;
  rk_range share = rk_share(p->count, 1024);
  memcpy(p->y + share.from, p->a + share.from, (size_t)(share.to - share.from) * sizeof(float));
}
void rk_copy(const float *x, float *y, int64_t count) {
  pair p = {x, 0, y, count};
  GOMP_parallel(copy_body, &p, 0, 0);
}

// Philox4x32-10 (Salmon et al. 2011), the same as Tensors/Random.swift.
static inline void philox(uint32_t block, uint32_t sample, uint32_t epoch, uint32_t purpose_and_lane, uint64_t seed,
                          uint32_t words[4]) {
  uint32_t c0 = block, c1 = sample, c2 = epoch, c3 = purpose_and_lane;
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = c0; words[1] = c1; words[2] = c2; words[3] = c3;
}

typedef struct {
  const float *x; float *y; int64_t rows, count; float rate; const rk_random_state *state; uint32_t tail; int whole;
} drop;

static void drop_body(void *opaque) {
  drop *p = opaque;
  float scale = 1 / (1 - p->rate);
  rk_range share = rk_share(p->rows, 1);
  for (int64_t row = share.from; row < share.to; row++) {
    const float *x = p->x + row * p->count;
    float *y = p->y + row * p->count;
    uint32_t words[4];
    if (p->whole) {
      philox(0, (uint32_t)row, p->state->step, p->tail, p->state->seed, words);
      float factor = (float)(words[0] >> 8) * 0x1p-24f >= p->rate ? scale : 0;
      for (int64_t i = 0; i < p->count; i++) y[i] = x[i] * factor;
    } else {
      for (int64_t i = 0; i < p->count; i++) {
        if (i % 4 == 0) philox((uint32_t)(i / 4), (uint32_t)row, p->state->step, p->tail, p->state->seed, words);
        y[i] = (float)(words[i % 4] >> 8) * 0x1p-24f >= p->rate ? x[i] * scale : 0;
      }
    }
  }
}
void rk_dropout(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                uint32_t purpose_and_lane) {
  drop p = {x, y, rows, count, rate, state, purpose_and_lane, 0};
  GOMP_parallel(drop_body, &p, 0, 0);
}
void rk_drop_path(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                  uint32_t purpose_and_lane) {
  drop p = {x, y, rows, count, rate, state, purpose_and_lane, 1};
  GOMP_parallel(drop_body, &p, 0, 0);
}

typedef struct {
  const float *logits, *targets; float *gradient; double *losses; int64_t rows, classes; float scale;
} cross_entropy;

static void cross_entropy_body(void *opaque) {
  cross_entropy *p = opaque;
  rk_range share = rk_share(p->rows, 1);
  for (int64_t row = share.from; row < share.to; row++) {
    const float *z = p->logits + row * p->classes, *t = p->targets + row * p->classes;
    double highest = -INFINITY, sum = 0, weight = 0, loss = 0;
    for (int64_t k = 0; k < p->classes; k++) {
      if (!(z[k] <= highest)) highest = z[k];  // keeps a NaN
      weight += t[k];
    }
    for (int64_t k = 0; k < p->classes; k++) sum += exp((double)z[k] - highest);
    double normalizer = highest + log(sum);
    for (int64_t k = 0; k < p->classes; k++)
      if (t[k] != 0) loss += t[k] * (normalizer - (double)z[k]);
    p->losses[row] = loss;
    if (p->gradient)
      for (int64_t k = 0; k < p->classes; k++)
        p->gradient[row * p->classes + k] = (float)((exp((double)z[k] - normalizer) * weight - t[k]) * p->scale);
  }
}
void rk_soft_cross_entropy(const float *logits, const float *targets, float *gradient, double *losses, int64_t rows,
                           int64_t classes, float scale) {
  cross_entropy p = {logits, targets, gradient, losses, rows, classes, scale};
  GOMP_parallel(cross_entropy_body, &p, 0, 0);
}
