// Numbers as they are left by rounding to few levels: activations and, in training, weights. The definitions are
// Quantizer, FakeQuantize and WeightQuantization of Networks/; the same bits come out here.
#include "CKernels.h"
#include "Team.h"
#include <math.h>

typedef float vector16 __attribute__((ext_vector_type(16), aligned(4)));

// Of a range without extent a small one, as Quantizer has it; of one that is not finite none.
static float step_size(double step) {
  float scale = (float)step;
  return isnormal(scale) || !isfinite(scale) ? scale : 0x1p-16f;
}

static rk_quantizer quantizer_of(float low, float high, int32_t lowest, int32_t highest, int is_symmetric) {
  if (is_symmetric) {
    float magnitude = -low > high ? -low : high;
    return (rk_quantizer){step_size((double)(magnitude < 0 ? 0 : magnitude) / highest), 0, lowest, highest};
  }
  double from = low > 0 ? 0 : low, to = high < 0 ? 0 : high;
  float scale = step_size((to - from) / (highest - lowest));
  double zero = rint(lowest - from / scale);
  zero = zero > lowest ? zero > highest ? highest : zero : lowest;
  return (rk_quantizer){scale, (int32_t)zero, lowest, highest};
}

// The smallest and the largest of some numbers, NaN left out, and of what the range holds already.
RK_CLONES static void extend_range(const float *x, int64_t count, float range[2]) {
  vector16 low0 = range[0], high0 = range[1], low1 = low0, high1 = high0;
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    vector16 a = *(const vector16 *)(x + i), b = *(const vector16 *)(x + i + 16);
    low0 = a < low0 ? a : low0;
    high0 = a > high0 ? a : high0;
    low1 = b < low1 ? b : low1;
    high1 = b > high1 ? b : high1;
  }
  low0 = low1 < low0 ? low1 : low0;
  high0 = high1 > high0 ? high1 : high0;
  float low = low0[0], high = high0[0];
  for (int j = 1; j < 16; j++) {
    low = low0[j] < low ? low0[j] : low;
    high = high0[j] > high ? high0[j] : high;
  }
  for (; i < count; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  range[0] = low;
  range[1] = high;
}

// Adding and taking away 1.5 * 2^23 rounds to the nearest integer, of two as near the even one.
#define ROUNDED(level) (((level) + 12582912.0f) - 12582912.0f)

RK_CLONES static void round_range(const float *x, float *y, int64_t from, int64_t to, rk_quantizer by) {
  float low = (float)(by.lowest - by.zero), high = (float)(by.highest - by.zero), scale = by.scale;
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) {
    float level = x[i] / scale;
    level = level < low ? low : level > high ? high : level;
    y[i] = scale * ROUNDED(level);
  }
}

typedef struct { const float *x; float *y; int64_t count; rk_quantizer by; } rounding;

static void round_body(void *opaque) {
  rounding *p = opaque;
  rk_range share = rk_share(p->count, 64);
  round_range(p->x, p->y, share.from, share.to, p->by);
}
void rk_fake_quantize(const float *x, float *y, int64_t count, rk_quantizer by) {
  rounding p = {.x = x, .y = y, .count = count, .by = by};
  rk_parallel(round_body, &p);
}

static void copy_range(const float *x, float *y, int64_t from, int64_t to) {
  if (x != y && to > from) __builtin_memcpy(y + from, x + from, (size_t)(to - from) * sizeof(float));
}

static int is_delayed(const rk_random_state *state, int64_t delay) { return state->step < delay; }

static rk_quantizer moved_quantizer(const rk_moving_quantizer *p) {
  return quantizer_of(*p->low, *p->high, 0, p->highest, 0);
}

// The ends of a range do not depend on the order in which they are found, so each thread has a place of its own.
static void move_and_round(void *opaque) {
  const rk_moving_quantizer *p = opaque;
  rk_range share = rk_share(p->count, 64);
  float *own = p->partial + 16 * omp_get_thread_num();
  own[0] = own[1] = 0;
  extend_range(p->x + share.from, share.to - share.from, own);
  GOMP_barrier();
  if (omp_get_thread_num() == 0) {
    float low = 0, high = 0;
    for (int thread = 0; thread < omp_get_num_threads(); thread++) {
      const float *other = p->partial + 16 * thread;
      low = other[0] < low ? other[0] : low;
      high = other[1] > high ? other[1] : high;
    }
    *p->low += (1 - p->decay) * (low - *p->low);
    *p->high += (1 - p->decay) * (high - *p->high);
  }
  GOMP_barrier();
  if (is_delayed(p->state, p->delay)) copy_range(p->x, p->y, share.from, share.to);
  else round_range(p->x, p->y, share.from, share.to, moved_quantizer(p));
}
int64_t rk_moving_quantizer_scratch(void) { return 16 * (int64_t)omp_get_max_threads(); }
void rk_move_and_round(const rk_moving_quantizer *p) { rk_parallel(move_and_round, (void *)p); }

RK_CLONES static void pass_range(const float *x, const float *dy, float *dx, int64_t from, int64_t to, float low,
                                 float high) {
  RK_ELEMENTWISE
  for (int64_t i = from; i < to; i++) dx[i] = ((x[i] < low) | (x[i] > high)) ? 0 : dy[i];
}
static void pass_within(void *opaque) {
  const rk_moving_quantizer *p = opaque;
  rk_range share = rk_share(p->count, 64);
  if (is_delayed(p->state, p->delay)) {
    copy_range(p->dy, p->dx, share.from, share.to);
    return;
  }
  rk_quantizer by = moved_quantizer(p);
  pass_range(p->x, p->dy, p->dx, share.from, share.to, by.scale * (float)(by.lowest - by.zero),
             by.scale * (float)(by.highest - by.zero));
}
void rk_pass_within(const rk_moving_quantizer *p) { rk_parallel(pass_within, (void *)p); }

RK_CLONES static void scale_row(const float *w, float *y, int64_t count, double factor) {
  RK_ELEMENTWISE
  for (int64_t i = 0; i < count; i++) y[i] = (float)((double)w[i] * factor);
}
RK_CLONES static void unscale_row(float *y, int64_t count, float factor) {
  for (int64_t i = 0; i < count; i++) y[i] *= factor;
}

static double norm_factor(const rk_weight_rounding *p, int64_t channel) {
  return p->scale ? (double)p->scale[channel] / sqrt((double)p->variance[channel] + (double)p->epsilon) : 1;
}

static void round_rows(void *opaque) {
  const rk_weight_rounding *p = opaque;
  rk_range share = rk_share(p->channels, 1);
  int64_t count = p->count;
  if (is_delayed(p->state, p->delay)) {
    copy_range(p->w, p->y, share.from * count, share.to * count);
    return;
  }
  for (int64_t c = share.from; c < share.to; c++) {
    float *y = p->y + c * count, *range = p->ranges + 2 * c;
    double factor = norm_factor(p, c);
    if (p->scale && factor != 0) scale_row(p->w + c * count, y, count, factor);
    else copy_range(p->w, p->y, c * count, (c + 1) * count);
    range[0] = range[1] = 0;
    if (factor != 0) extend_range(y, count, range);
  }
  rk_quantizer by = {0};
  if (!p->is_per_channel) {
    GOMP_barrier();
    float low = p->ranges[0], high = p->ranges[1];
    for (int64_t c = 1; c < p->channels; c++) {
      low = p->ranges[2 * c] < low ? p->ranges[2 * c] : low;
      high = p->ranges[2 * c + 1] > high ? p->ranges[2 * c + 1] : high;
    }
    by = quantizer_of(low, high, p->lowest, p->highest, p->is_symmetric);
  }
  for (int64_t c = share.from; c < share.to; c++) {
    float *y = p->y + c * count;
    const float *range = p->ranges + 2 * c;
    if (p->is_per_channel) by = quantizer_of(range[0], range[1], p->lowest, p->highest, p->is_symmetric);
    double factor = norm_factor(p, c);
    // Nothing comes through, but what would have decides the gradient of the batch norm's scale: such rows stay.
    if (factor == 0) continue;
    round_range(y, y, 0, count, by);
    if (p->scale) unscale_row(y, count, (float)(1 / factor));
  }
}
void rk_round_weights(const rk_weight_rounding *p) { rk_parallel(round_rows, (void *)p); }
