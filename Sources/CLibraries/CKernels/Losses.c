#include "CKernels.h"
#include "Team.h"
#include <math.h>

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
  rk_parallel(cross_entropy_body, &p);
}

typedef struct {
  const float *logits, *targets; float *gradient; double *losses; int64_t rows, classes;
  float threshold, temperature, weight, factor, scale; int adds;
} terms;

static void binary_body(void *opaque) {
  terms *p = opaque;
  rk_range share = rk_share(p->rows, 1);
  float scale = p->scale / (float)p->classes;
  for (int64_t row = share.from; row < share.to; row++) {
    const float *z = p->logits + row * p->classes, *t = p->targets + row * p->classes;
    double loss = 0;
    for (int64_t k = 0; k < p->classes; k++) {
      double x = z[k], target = isnan(p->threshold) ? t[k] : t[k] > p->threshold;
      // exp only of what is not positive.
      double small = exp(-fabs(x));
      loss += (x > 0 ? x : 0) - x * target + log1p(small);
      p->gradient[row * p->classes + k] = (float)((x >= 0 ? 1 / (1 + small) : small / (1 + small)) - target) * scale;
    }
    p->losses[row] = loss / (double)p->classes;
  }
}
void rk_binary_cross_entropy(const float *logits, const float *targets, float threshold, float *gradient,
                             double *losses, int64_t rows, int64_t classes, float scale) {
  terms p = {.logits = logits, .targets = targets, .gradient = gradient, .losses = losses, .rows = rows,
             .classes = classes, .threshold = threshold, .scale = scale};
  rk_parallel(binary_body, &p);
}

// The logarithm of the sum of exp(z / temperature).
static double normalizer_of(const float *z, int64_t classes, float temperature) {
  double highest = -INFINITY, sum = 0;
  for (int64_t k = 0; k < classes; k++)
    if (!(z[k] <= highest)) highest = z[k];  // keeps a NaN
  for (int64_t k = 0; k < classes; k++) sum += exp(((double)z[k] - highest) / temperature);
  return highest / temperature + log(sum);
}

static void softmax_body(void *opaque) {
  terms *p = opaque;
  rk_range share = rk_share(p->rows, 1);
  for (int64_t row = share.from; row < share.to; row++) {
    const float *z = p->logits + row * p->classes;
    float *y = p->gradient + row * p->classes;
    double normalizer = normalizer_of(z, p->classes, p->temperature);
    for (int64_t k = 0; k < p->classes; k++) {
      float value = (float)(p->weight * exp((double)z[k] / p->temperature - normalizer));
      y[k] = p->adds ? y[k] + value : value;
    }
  }
}
void rk_softmax(const float *logits, float *y, int64_t rows, int64_t classes, float temperature, float share, int adds) {
  terms p = {.logits = logits, .gradient = y, .rows = rows, .classes = classes, .temperature = temperature,
             .weight = share, .adds = adds};
  rk_parallel(softmax_body, &p);
}

static void distill_body(void *opaque) {
  terms *p = opaque;
  rk_range share = rk_share(p->rows, 1);
  double kept = 1 - (double)p->weight, added = (double)p->weight * p->factor;
  for (int64_t row = share.from; row < share.to; row++) {
    const float *z = p->logits + row * p->classes, *t = p->targets + row * p->classes;
    float *gradient = p->gradient + row * p->classes;
    double normalizer = normalizer_of(z, p->classes, p->temperature), divergence = 0;
    for (int64_t k = 0; k < p->classes; k++) {
      double logarithm = (double)z[k] / p->temperature - normalizer, target = t[k];
      if (target != 0) divergence += target * (log(target) - logarithm);
      double pull = added * (exp(logarithm) - target) / p->temperature * p->scale;
      gradient[k] = (float)(kept * gradient[k] + pull);
    }
    p->losses[row] = kept * p->losses[row] + added * divergence;
  }
}
void rk_distill(const float *logits, const float *p, float *gradient, double *losses, int64_t rows, int64_t classes,
                rk_distillation by, float scale) {
  terms t = {.logits = logits, .targets = p, .gradient = gradient, .losses = losses, .rows = rows, .classes = classes,
             .temperature = by.temperature, .weight = by.weight, .factor = by.factor, .scale = scale};
  rk_parallel(distill_body, &t);
}
