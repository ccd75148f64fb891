// Batch norm.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Batch norm over x[n][channel / block][pixel][block], fused with a residual sum before and an activation after it.
// x, residual, y and their gradients are float32, or bfloat16 in blocks of 16; all else is float32 either way.
typedef struct {
  int64_t batch, channels, pixels;  // channels: rounded up to the block
  int32_t block;                    // 8 or 16
  int32_t is_bf16;
  int32_t has_residual;             // whether something is added before the activation
  int32_t activation;
  float low, high;                  // of a clip
  float epsilon, momentum;
  const void *x;
  const float *scale, *shift;
  const void *residual;             // of the forward pass; read where there is one
  void *y;
  float *mean, *rstd;               // of this batch, for the backward pass
  float *running_mean, *running_variance;
  float *partial;                   // scratch: rk_batch_norm_scratch floats
  // backward only
  const void *dy, *dy2;             // the gradient of y is dy + dy2; dy2 may be NULL
  void *dx;                         // may be dy
  void *dresidual;                  // or NULL; may be dy or dy2
  float *dscale, *dshift;
  // Where not 0, the running statistics stand in for the batch's and stay as they are; read when the kernel runs.
  const int32_t *is_frozen;
  // Where several processes share a batch: how many, and 2 * channels sums; else 0 and NULL. Not in use while frozen.
  int64_t processes;
  double *sums;
} rk_batch_norm;

int64_t rk_batch_norm_scratch(int64_t batch, int64_t channels);
void rk_batch_norm_forward(const rk_batch_norm *p);
void rk_batch_norm_backward(const rk_batch_norm *p);
// The same in two halves, while not frozen. Between them the 2 * channels numbers of `sums` are to be summed over the
// processes.
void rk_batch_norm_forward_sums(const rk_batch_norm *p);
void rk_batch_norm_forward_rest(const rk_batch_norm *p);
void rk_batch_norm_backward_sums(const rk_batch_norm *p);
void rk_batch_norm_backward_rest(const rk_batch_norm *p);

#ifdef __cplusplus
}
#endif
