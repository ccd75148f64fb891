// Numbers one by one: activations, sums, averages, and rows of a batch mixed with one another.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { rk_activation_none = 0, rk_activation_relu = 1, rk_activation_clip = 2 };

// y = the activation of x, rk_activation_relu or rk_activation_clip; NaN stays NaN. y may be x.
void rk_activate(const float *x, float *y, int64_t count, int activation, float low, float high);
// The gradient of x from that of y and from y; NaN where y is. dx may be dy.
void rk_activate_backward(const float *y, const float *dy, float *dx, int64_t count, int activation, float low, float high);
void rk_activate_bf16(const uint16_t *x, uint16_t *y, int64_t count, int activation, float low, float high);
void rk_activate_backward_bf16(const uint16_t *y, const uint16_t *dy, uint16_t *dx, int64_t count, int activation,
                               float low, float high);

// The largest magnitude; NaN where there is one.
float rk_largest_magnitude(const float *x, int64_t count);
// Whether all numbers are finite.
int rk_all_finite(const float *x, int64_t count);

// y = a + b; y may be a or b.
void rk_add(const float *a, const float *b, float *y, int64_t count);
void rk_add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *y, int64_t count);
void rk_copy(const float *x, float *y, int64_t count);

// x *= factor; x = min(max(x, -limit), limit).
void rk_scale(float *x, int64_t count, float factor);
void rk_clamp(float *x, int64_t count, float limit);
// y = keep * y + (1 - keep) * x; x itself where keep is 0, whatever y was.
void rk_average(float *y, const float *x, int64_t count, double keep);
// y = row r of x mixed with row rows - 1 - r: weight * x + (1 - weight) * other.
void rk_mix_rows(const float *x, float *y, int64_t rows, int64_t count, float weight);
typedef struct { int64_t top, bottom, left, right; } rk_box;
// y = x, and within the box of each plane of height x width, the other row's.
void rk_paste_rows(const float *x, float *y, int64_t rows, int64_t planes, int64_t height, int64_t width, rk_box box);
// y = factors[c] * x + terms[c] for each plane of rows x channels x pixels.
void rk_rescale_planes(const float *x, float *y, int64_t rows, int64_t channels, int64_t pixels, const float *factors,
                       const float *terms);

#ifdef __cplusplus
}
#endif
