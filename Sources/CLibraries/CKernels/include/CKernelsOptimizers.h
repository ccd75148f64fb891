// How gradients move weights.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A stretch of the parameter arena with one weight decay.
typedef struct { int64_t offset, count; float decay; } rk_segment;

// What an optimizer moves and by what: arrays that lie as the segments say.
typedef struct {
  float *w;
  const float *g;
  float *first, *second;  // what it keeps between steps, as each says
  const rk_segment *segments;
  int64_t segment_count;
  // Of those that look at whole tensors: 2 * rk_block_count numbers, and segment_count.
  double *partial, *ratios;
} rk_parameters;

// Adam's and LAMB's: how slowly the mean of g (first) and that of its square (second) follow, and what corrects their
// bias, 1 - beta1^t and 1 - beta2^t.
typedef struct { double beta1, beta2, correction1, correction2; float epsilon; } rk_moments;

// v = momentum * v + (g + decay * w); w -= rate * (nesterov ? g + decay * w + momentum * v : v). PyTorch's SGD.
// first: v; is_start: whether it starts as the gradient.
void rk_sgd(const rk_parameters *p, float rate, float momentum, int nesterov, int is_start);
// Adam (decoupled = 0: decay joins the gradient) and AdamW (decoupled = 1).
void rk_adam(const rk_parameters *p, double rate, rk_moments moments, int decoupled);
// RMSprop. first: the mean square; second: the momentum, NULL without. tensorflow = 1: epsilon below the root, the rate
// within the momentum.
void rk_rms_prop(const rk_parameters *p, float rate, double decay, float momentum, float epsilon, int tensorflow);

// Sums over segments are made of the sums of blocks of fixed size, so they do not depend on the number of threads.
int64_t rk_block_count(const rk_segment *segments, int64_t segment_count);
// The sum of squares of x over all segments. partial: rk_block_count numbers.
double rk_squares(const float *x, const rk_segment *segments, int64_t segment_count, double *partial);
// LAMB: g is divided by `divisor`; where decay is not 0, each segment's step is scaled by the norm of its weights over
// that of its step.
void rk_lamb(const rk_parameters *p, float rate, rk_moments moments, float divisor);
// LARS: rk_sgd, with g + decay * w scaled by trust * |w| / (|g| + decay * |w| + epsilon) where decay is not 0.
void rk_lars(const rk_parameters *p, float rate, float momentum, int nesterov, int is_start, double trust,
             double epsilon);

#ifdef __cplusplus
}
#endif
