// Pooling in float32.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The largest number under each place of a window, of x[outer][height][width][inner]; NaN where there is one. x, y and
// their gradients are float32, or bfloat16 for the kernels that are named for it.
typedef struct {
  int64_t outer, height, width, inner, out_height, out_width;
  int32_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
  const void *x;
  void *y;
  uint16_t *places;  // of each output, which number of its window it is; NULL where no way back is wanted
  const void *dy;    // backward only
  void *dx;
} rk_max_pooling;

void rk_max_pool(const rk_max_pooling *p);
void rk_max_pool_backward(const rk_max_pooling *p);
void rk_max_pool_bf16(const rk_max_pooling *p);
void rk_max_pool_backward_bf16(const rk_max_pooling *p);

#ifdef __cplusplus
}
#endif
