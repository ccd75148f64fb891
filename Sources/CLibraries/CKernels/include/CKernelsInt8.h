// Inference on 8-bit integers. Activations are unsigned bytes, NHWC, and stand for scale * (stored - zero); weights are
// signed bytes and stand for scale * stored, with a scale for each output channel. Sums are exact where they fit into 32
// bits, bias included; on the way they may wrap. Everything runs on the team of the calling thread, allocates nothing,
// and gives the same bytes for any number of threads and on any processor: products and sums of floats are rounded one
// by one, never fused, and rint is to the nearest, halves to even.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A convolution, or with 1 x 1 images a dense layer. With a[c] = bias[c] + sum of stored x * stored w:
//
//   q = clamp(rint(scales[c] * a[c]) + y_zero, low, high)
//   y = q, or with a residual r
//   y = clamp(rint((q - y_zero) * q_factor + (r - r_zero) * r_factor) + sum_zero, sum_low, sum_high)
typedef struct {
  int64_t batch, height, width, channels;
  int64_t out_height, out_width, out_channels;
  int32_t kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int32_t pad_top, pad_left;
  int32_t groups;
  int32_t kernel;           // which one packs and runs it, by its number: rk_int8_choose
  int32_t zero;             // of x; what x is outside the image
  const uint8_t *x;
  const void *weights;      // as rk_int8_pack leaves them
  const int32_t *bias;      // in units of the sum, with -zero * (sum of w) already in it
  const float *scales;      // s_x s_w / s_y; for y_real s_x s_w
  int32_t y_zero, low, high;
  uint8_t *y;               // or NULL, then
  float *y_real;            // scales[c] * a[c], NHWC; no residual
  const uint8_t *residual;  // or NULL; may be y
  float q_factor, r_factor;
  int32_t r_zero, sum_zero, sum_low, sum_high;
  void *scratch;            // rk_int8_scratch bytes
} rk_int8_convolution;

// The kernels, fastest first. The last is the definition: it takes every convolution on every processor, slowly.
int rk_int8_kernels(void);
const char *rk_int8_name(int kernel);
// Whether it takes p on this processor, of which ONEDNN_MAX_CPU_ISA may hide features. Shapes alone decide.
int rk_int8_accepts(int kernel, const rk_int8_convolution *p);
// The first that does.
int rk_int8_choose(const rk_int8_convolution *p);

// weights[out_channels][channels / groups][kernel_height][kernel_width]. The packed form is the kernel's own, and
// depends on weights and shapes; it may be copied elsewhere, aligned as it was (64 bytes).
int64_t rk_int8_packed_bytes(const rk_int8_convolution *p, const int8_t *weights);
void rk_int8_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed);
// What teams of up to `threads` threads need; x and weights are not looked at.
int64_t rk_int8_scratch(const rk_int8_convolution *p, int threads);
void rk_int8_convolve(const rk_int8_convolution *p);

// Levels that are read, as (x - zero) * factor; and that are written, as clamp(rint(v) + zero, low, high).
typedef struct { int32_t zero; float factor; } rk_int8_input;
typedef struct { int32_t zero, low, high; } rk_int8_output;

// v = x / scale, from x[batch][channels][pixels] to y[batch][pixels][channels].
void rk_int8_quantize_planar(const float *x, uint8_t *y, int64_t batch, int64_t channels, int64_t pixels, float scale,
                             rk_int8_output to);
// y = scale * (x - zero), from x[batch][pixels][channels] to y[batch][channels][pixels].
void rk_int8_dequantize_planar(const uint8_t *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                               float scale, int32_t zero);

// The greatest of each window; what lies outside the image never wins.
typedef struct {
  int64_t batch, height, width, channels, out_height, out_width;
  int32_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
  const uint8_t *x;
  uint8_t *y;
} rk_int8_pooling;
void rk_int8_max_pool(const rk_int8_pooling *p);

// The mean over all pixels: v = (sum - pixels * zero) * factor, with factor = s_x / (pixels * s_y).
void rk_int8_average(const uint8_t *x, uint8_t *y, int64_t batch, int64_t pixels, int64_t channels, rk_int8_input from,
                     rk_int8_output to);
// Brings numbers to other levels: y[i * stride + c] from x[i * channels + c] for each of `count` places, with
// factor = s_x / s_y.
void rk_int8_rescale(const uint8_t *x, uint8_t *y, int64_t count, int64_t channels, int64_t stride, rk_int8_input from,
                     rk_int8_output to);
// The sum of what a and b are read as; y may be a or b.
void rk_int8_add(const uint8_t *a, const uint8_t *b, uint8_t *y, int64_t count, rk_int8_input of_a, rk_int8_input of_b,
                 rk_int8_output to);

#ifdef __cplusplus
}
#endif
