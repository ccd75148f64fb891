#include "CKernels.h"
#include "Team.h"
#include <string.h>

// Columns that a thread takes at a time; sums over rows are made within a column, so they do not depend on the threads.
enum { STRIPE = 64 };

typedef struct { const float *x, *w, *dy; float *y, *dx, *dw; int64_t batch, tokens, features; } tokens;

RK_CLONES static void scale_rows(const float *x, const float *w, float *y, int64_t rows, int64_t features) {
  for (int64_t r = 0; r < rows; r++, x += features, y += features)
    for (int64_t f = 0; f < features; f++) y[f] = x[f] * w[f];
}
static void scale_body(void *opaque) {
  tokens *p = opaque;
  rk_range share = rk_share(p->batch, 1);
  scale_rows(p->x + share.from * p->features, p->w, p->y + share.from * p->features, share.to - share.from, p->features);
}
void rk_layer_scale(const float *x, const float *w, float *y, int64_t rows, int64_t features) {
  tokens p = {.x = x, .w = w, .y = y, .batch = rows, .features = features};
  rk_parallel(scale_body, &p);
}

RK_CLONES static void scale_stripe(const float *x, const float *dy, const float *w, float *dx, float *dw, int64_t rows,
                                   int64_t features, int64_t from, int64_t to) {
  float sum[STRIPE] = {0};
  for (int64_t r = 0; r < rows; r++)
    for (int64_t f = from; f < to; f++) {
      float slope = dy[r * features + f];
      sum[f - from] += slope * x[r * features + f];
      dx[r * features + f] = slope * w[f];
    }
  memcpy(dw + from, sum, (size_t)(to - from) * sizeof(float));
}
static void scale_backward_body(void *opaque) {
  tokens *p = opaque;
  rk_range share = rk_share(p->features, STRIPE);
  for (int64_t f = share.from; f < share.to; f += STRIPE)
    scale_stripe(p->x, p->dy, p->w, p->dx, p->dw, p->batch, p->features, f, f + STRIPE < share.to ? f + STRIPE : share.to);
}
void rk_layer_scale_backward(const float *x, const float *dy, const float *w, float *dx, float *dw, int64_t rows,
                             int64_t features) {
  tokens p = {.x = x, .dy = dy, .w = w, .dx = dx, .dw = dw, .batch = rows, .features = features};
  rk_parallel(scale_backward_body, &p);
}

void rk_class_token(const float *token, float *y, int64_t batch, int64_t token_count, int64_t features) {
  for (int64_t n = 0; n < batch; n++) memcpy(y + n * token_count * features, token, (size_t)features * sizeof(float));
}
void rk_class_token_backward(const float *dy, float *dtoken, int64_t batch, int64_t token_count, int64_t features) {
  memcpy(dtoken, dy, (size_t)features * sizeof(float));
  for (int64_t n = 1; n < batch; n++)
    for (int64_t f = 0; f < features; f++) dtoken[f] += dy[n * token_count * features + f];
}

RK_CLONES static void mean_stripe(const float *x, float *y, int64_t count, int64_t features, int64_t from, int64_t to) {
  float sum[STRIPE] = {0};
  for (int64_t t = 0; t < count; t++)
    for (int64_t f = from; f < to; f++) sum[f - from] += x[t * features + f];
  for (int64_t f = from; f < to; f++) y[f] = sum[f - from] / (float)count;
}
static void mean_body(void *opaque) {
  tokens *p = opaque;
  rk_range share = rk_share(p->features, STRIPE);
  for (int64_t n = 0; n < p->batch; n++)
    for (int64_t f = share.from; f < share.to; f += STRIPE)
      mean_stripe(p->x + (n * p->tokens + 1) * p->features, p->y + n * p->features, p->tokens - 1, p->features, f,
                  f + STRIPE < share.to ? f + STRIPE : share.to);
}
void rk_token_mean(const float *x, float *y, int64_t batch, int64_t token_count, int64_t features) {
  tokens p = {.x = x, .y = y, .batch = batch, .tokens = token_count, .features = features};
  rk_parallel(mean_body, &p);
}

static void mean_backward_body(void *opaque) {
  tokens *p = opaque;
  float share_of_each = 1 / (float)(p->tokens - 1);
  rk_range share = rk_share(p->batch * p->tokens, 1);
  for (int64_t i = share.from; i < share.to; i++) {
    float factor = i % p->tokens == 0 ? 0 : share_of_each;
    const float *dy = p->dy + i / p->tokens * p->features;
    for (int64_t f = 0; f < p->features; f++) p->dx[i * p->features + f] = dy[f] * factor;
  }
}
void rk_token_mean_backward(const float *dy, float *dx, int64_t batch, int64_t token_count, int64_t features) {
  tokens p = {.dy = dy, .dx = dx, .batch = batch, .tokens = token_count, .features = features};
  rk_parallel(mean_backward_body, &p);
}
