// Losses and their gradients.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// losses[r] = -sum_k targets[r][k] log softmax(logits[r])[k]; gradient = (softmax * sum(targets) - targets) * scale.
// gradient may be NULL.
void rk_soft_cross_entropy(const float *logits, const float *targets, float *gradient, double *losses, int64_t rows,
                           int64_t classes, float scale);

// losses[r] = -mean_k (t log sigmoid(z) + (1 - t) log (1 - sigmoid(z))); gradient = (sigmoid(z) - t) * scale / classes.
// Where threshold is a number, t is 1 for targets above it and 0 for others.
void rk_binary_cross_entropy(const float *logits, const float *targets, float threshold, float *gradient,
                             double *losses, int64_t rows, int64_t classes, float scale);
// y = share * softmax(logits / temperature), added to y where adds is not 0.
void rk_softmax(const float *logits, float *y, int64_t rows, int64_t classes, float temperature, float share, int adds);
typedef struct { float temperature, weight, factor; } rk_distillation;
// With q = softmax(logits / temperature) and weight c: losses[r] = (1 - c) * losses[r] + c * factor * KL(p[r] || q[r]),
// gradient = (1 - c) * gradient + c * factor * (q - p) / temperature * scale. The rows of p sum to 1.
void rk_distill(const float *logits, const float *p, float *gradient, double *losses, int64_t rows, int64_t classes,
                rk_distillation by, float scale);

#ifdef __cplusplus
}
#endif
