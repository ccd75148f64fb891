// How gradients move weights.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A stretch of the parameter arena with one weight decay.
typedef struct { int64_t offset, count; float decay; } rk_segment;

// v = momentum * v + (g + decay * w); w -= rate * (nesterov ? g + decay * w + momentum * v : v). PyTorch's SGD.
void rk_sgd(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, float rate,
            float momentum, int nesterov, int first);
// Adam (decoupled = 0: decay joins the gradient) and AdamW (decoupled = 1). correction1 = 1 - beta1^t and so on.
void rk_adam(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             double rate, double beta1, double beta2, float epsilon, double correction1, double correction2,
             int decoupled);
// RMSprop; v is the mean square, b the momentum (NULL without). tensorflow = 1: epsilon below the root, the rate within
// the momentum.
void rk_rms_prop(float *w, const float *g, float *v, float *b, const rk_segment *segments, int64_t segment_count,
                 float rate, double decay, float momentum, float epsilon, int tensorflow);

// Sums over segments are made of the sums of blocks of fixed size, so they do not depend on the number of threads.
int64_t rk_block_count(const rk_segment *segments, int64_t segment_count);
// The sum of squares of x over all segments. partial: rk_block_count numbers.
double rk_squares(const float *x, const rk_segment *segments, int64_t segment_count, double *partial);
// LAMB: g is divided by `divisor`; where decay is not 0, each segment's step is scaled by the norm of its weights over
// that of its step. partial: 2 * rk_block_count numbers; ratios: segment_count.
void rk_lamb(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             double *partial, double *ratios, float divisor, float rate, double beta1, double beta2, float epsilon,
             double correction1, double correction2);
// LARS: rk_sgd, with g + decay * w scaled by trust * |w| / (|g| + decay * |w| + epsilon) where decay is not 0.
void rk_lars(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, double *partial,
             double *ratios, float rate, float momentum, int nesterov, int first, double trust, double epsilon);

#ifdef __cplusplus
}
#endif
