#include "Activation.h"
#include "CKernels.h"
#include "Team.h"
#include <math.h>
#include <string.h>

typedef struct { const float *a, *b; float *y; int64_t count; } pair;

RK_CLONES static void add_range(const float *a, const float *b, float *y, int64_t from, int64_t to) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) y[i] = a[i] + b[i];
}
static void add_body(void *opaque) {
  pair *p = opaque;
  rk_range share = rk_share(p->count, 64);
  add_range(p->a, p->b, p->y, share.from, share.to);
}
void rk_add(const float *a, const float *b, float *y, int64_t count) {
  pair p = {a, b, y, count};
  rk_parallel(add_body, &p);
}

static void copy_body(void *opaque) {
  pair *p = opaque;
  rk_range share = rk_share(p->count, 1024);
  memcpy(p->y + share.from, p->a + share.from, (size_t)(share.to - share.from) * sizeof(float));
}
void rk_copy(const float *x, float *y, int64_t count) {
  pair p = {x, 0, y, count};
  rk_parallel(copy_body, &p);
}

typedef struct { const float *x, *dy; float *y; int64_t count; float low, high; int kind; } activation;

RK_CLONES static void relu_range(const float *x, float *y, int64_t from, int64_t to) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) y[i] = RK_ACTIVATE(float, x[i], rk_activation_relu, 0, 0);
}
RK_CLONES static void clip_range(const float *x, float *y, int64_t from, int64_t to, float low, float high) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) y[i] = RK_ACTIVATE(float, x[i], rk_activation_clip, low, high);
}
static void activate_body(void *opaque) {
  activation *p = opaque;
  rk_range share = rk_share(p->count, 64);
  if (p->kind == rk_activation_relu) relu_range(p->x, p->y, share.from, share.to);
  else clip_range(p->x, p->y, share.from, share.to, p->low, p->high);
}
void rk_activate(const float *x, float *y, int64_t count, int kind, float low, float high) {
  activation p = {.x = x, .y = y, .count = count, .low = low, .high = high, .kind = kind};
  rk_parallel(activate_body, &p);
}

RK_CLONES static void relu_slope_range(const float *y, const float *dy, float *dx, int64_t from, int64_t to) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) dx[i] = RK_MASKED(float, dy[i], y[i], rk_activation_relu, 0, 0);
}
RK_CLONES static void clip_slope_range(const float *y, const float *dy, float *dx, int64_t from, int64_t to, float low,
                                       float high) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) dx[i] = RK_MASKED(float, dy[i], y[i], rk_activation_clip, low, high);
}
static void activate_backward_body(void *opaque) {
  activation *p = opaque;
  rk_range share = rk_share(p->count, 64);
  if (p->kind == rk_activation_relu) relu_slope_range(p->x, p->dy, p->y, share.from, share.to);
  else clip_slope_range(p->x, p->dy, p->y, share.from, share.to, p->low, p->high);
}
void rk_activate_backward(const float *y, const float *dy, float *dx, int64_t count, int kind, float low, float high) {
  activation p = {.x = y, .dy = dy, .y = dx, .count = count, .low = low, .high = high, .kind = kind};
  rk_parallel(activate_backward_body, &p);
}

// The bits of a float as an integer: without the sign, they are in the order of the magnitudes.
typedef int32_t __attribute__((may_alias)) word;

RK_CLONES static int32_t largest_magnitude(const float *x, int64_t count) {
  const word *bits = (const word *)x;
  int32_t most = 0;
  for (int64_t i = 0; i < count; i++) {
    int32_t magnitude = bits[i] & 0x7fffffff;
    most = magnitude > most ? magnitude : most;
  }
  return most;
}
typedef struct { const float *x; int64_t count; int32_t most; } magnitudes;
static void magnitude_body(void *opaque) {
  magnitudes *p = opaque;
  rk_range share = rk_share(p->count, 64);
  int32_t own = largest_magnitude(p->x + share.from, share.to - share.from);
  int32_t most = __atomic_load_n(&p->most, __ATOMIC_RELAXED);
  while (own > most && !__atomic_compare_exchange_n(&p->most, &most, own, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}
float rk_largest_magnitude(const float *x, int64_t count) {
  magnitudes p = {x, count, 0};
  rk_parallel(magnitude_body, &p);
  float most;
  memcpy(&most, &p.most, sizeof most);
  return most;
}
int rk_all_finite(const float *x, int64_t count) { return isfinite(rk_largest_magnitude(x, count)); }

typedef struct { const float *x; float *y; int64_t count; float factor; double keep; } scaling;

RK_CLONES static void scale_range(float *y, int64_t from, int64_t to, float factor) {
  for (int64_t i = from; i < to; i++) y[i] *= factor;
}
static void scale_body(void *opaque) {
  scaling *p = opaque;
  rk_range share = rk_share(p->count, 64);
  scale_range(p->y, share.from, share.to, p->factor);
}
void rk_scale(float *x, int64_t count, float factor) {
  scaling p = {.y = x, .count = count, .factor = factor};
  rk_parallel(scale_body, &p);
}

RK_CLONES static void clamp_range(float *y, int64_t from, int64_t to, float limit) {
  for (int64_t i = from; i < to; i++) y[i] = y[i] < -limit ? -limit : y[i] > limit ? limit : y[i];
}
static void clamp_body(void *opaque) {
  scaling *p = opaque;
  rk_range share = rk_share(p->count, 64);
  clamp_range(p->y, share.from, share.to, p->factor);
}
void rk_clamp(float *x, int64_t count, float limit) {
  scaling p = {.y = x, .count = count, .factor = limit};
  rk_parallel(clamp_body, &p);
}

RK_CLONES static void average_range(float *y, const float *x, int64_t from, int64_t to, float kept, float added) {
  for (int64_t i = from; i < to; i++) y[i] = kept * y[i] + added * x[i];
}
static void average_body(void *opaque) {
  scaling *p = opaque;
  rk_range share = rk_share(p->count, 64);
  if (p->keep == 0) memcpy(p->y + share.from, p->x + share.from, (size_t)(share.to - share.from) * sizeof(float));
  else average_range(p->y, p->x, share.from, share.to, (float)p->keep, (float)(1 - p->keep));
}
void rk_average(float *y, const float *x, int64_t count, double keep) {
  scaling p = {.x = x, .y = y, .count = count, .keep = keep};
  rk_parallel(average_body, &p);
}

typedef struct {
  const float *x; float *y; int64_t rows, count, planes, height, width, top, bottom, left, right; float weight;
  const float *factors, *terms;
} rows_of_planes;

RK_CLONES static void mix_range(const float *x, const float *other, float *y, int64_t count, float weight) {
  for (int64_t i = 0; i < count; i++) y[i] = weight * x[i] + (1 - weight) * other[i];
}
static void mix_body(void *opaque) {
  rows_of_planes *p = opaque;
  rk_range share = rk_share(p->rows, 1);
  for (int64_t row = share.from; row < share.to; row++)
    mix_range(p->x + row * p->count, p->x + (p->rows - 1 - row) * p->count, p->y + row * p->count, p->count, p->weight);
}
void rk_mix_rows(const float *x, float *y, int64_t rows, int64_t count, float weight) {
  rows_of_planes p = {.x = x, .y = y, .rows = rows, .count = count, .weight = weight};
  rk_parallel(mix_body, &p);
}

static void paste_body(void *opaque) {
  rows_of_planes *p = opaque;
  int64_t count = p->planes * p->height * p->width;
  rk_range share = rk_share(p->rows, 1);
  for (int64_t row = share.from; row < share.to; row++) {
    const float *other = p->x + (p->rows - 1 - row) * count;
    float *y = p->y + row * count;
    memcpy(y, p->x + row * count, (size_t)count * sizeof(float));
    for (int64_t plane = 0; plane < p->planes; plane++)
      for (int64_t line = p->top; line < p->bottom; line++) {
        int64_t at = (plane * p->height + line) * p->width + p->left;
        memcpy(y + at, other + at, (size_t)(p->right - p->left) * sizeof(float));
      }
  }
}
void rk_paste_rows(const float *x, float *y, int64_t rows, int64_t planes, int64_t height, int64_t width, rk_box box) {
  rows_of_planes p = {.x = x, .y = y, .rows = rows, .planes = planes, .height = height, .width = width, .top = box.top,
                      .bottom = box.bottom, .left = box.left, .right = box.right};
  rk_parallel(paste_body, &p);
}

RK_CLONES static void rescale_range(const float *x, float *y, int64_t count, float factor, float term) {
  for (int64_t i = 0; i < count; i++) y[i] = factor * x[i] + term;
}
static void rescale_body(void *opaque) {
  rows_of_planes *p = opaque;
  rk_range share = rk_share(p->rows * p->planes, 1);
  for (int64_t plane = share.from; plane < share.to; plane++) {
    int64_t at = plane * p->count, channel = plane % p->planes;
    rescale_range(p->x + at, p->y + at, p->count, p->factors[channel], p->terms[channel]);
  }
}
void rk_rescale_planes(const float *x, float *y, int64_t rows, int64_t channels, int64_t pixels, const float *factors,
                       const float *terms) {
  rows_of_planes p = {.x = x, .y = y, .rows = rows, .planes = channels, .count = pixels, .factors = factors,
                      .terms = terms};
  rk_parallel(rescale_body, &p);
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
      philox(0, (uint32_t)row + p->state->row, p->state->step, p->tail, p->state->seed, words);
      float factor = (float)(words[0] >> 8) * 0x1p-24f >= p->rate ? scale : 0;
      for (int64_t i = 0; i < p->count; i++) y[i] = x[i] * factor;
    } else {
      for (int64_t i = 0; i < p->count; i++) {
        if (i % 4 == 0) philox((uint32_t)(i / 4), (uint32_t)row + p->state->row, p->state->step, p->tail, p->state->seed, words);
        y[i] = x[i] * ((float)(words[i % 4] >> 8) * 0x1p-24f >= p->rate ? scale : 0);
      }
    }
  }
}
void rk_dropout(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                uint32_t purpose_and_lane) {
  drop p = {x, y, rows, count, rate, state, purpose_and_lane, 0};
  rk_parallel(drop_body, &p);
}
void rk_drop_path(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                  uint32_t purpose_and_lane) {
  drop p = {x, y, rows, count, rate, state, purpose_and_lane, 1};
  rk_parallel(drop_body, &p);
}
