// The element-wise kernels and the max pooling for bfloat16. Each computes what its twin for float32 does, on widened
// numbers, and rounds once.
#include "CKernels.h"
#include "Team.h"
#if defined(__x86_64__)
#include "Activation.h"
#include "BFloat16.h"
#include "MaxPool.h"

typedef struct {
  const rk_bf16 *a, *b;
  rk_bf16 *y;
  int64_t count;
  float low, high;
  int kind;
} pair;

#define FOR_SHARE(p)                                                  \
  rk_range share = rk_share((p)->count, 64);                          \
  for (int64_t i = share.from, left; (left = share.to - i) > 0; i += 16)

RK_BF16 static void add_body(void *opaque) {
  const pair *p = opaque;
  FOR_SHARE(p) {
    __mmask16 mask = RK_MASK(left);
    RK_STORE_FEW(p->y + i, mask, RK_LOAD_FEW(p->a + i, mask) + RK_LOAD_FEW(p->b + i, mask));
  }
}
void rk_add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *y, int64_t count) {
  pair p = {.a = a, .b = b, .y = y, .count = count};
  rk_parallel(add_body, &p);
}

RK_BF16_INLINE void activate(const pair *p, int kind) {
  FOR_SHARE(p) {
    __mmask16 mask = RK_MASK(left);
    rk_lanes x = RK_LOAD_FEW(p->a + i, mask);
    RK_STORE_FEW(p->y + i, mask, RK_ACTIVATE(rk_lanes, x, kind, p->low, p->high));
  }
}
RK_BF16 static void activate_body(void *opaque) {
  const pair *p = opaque;
  if (p->kind == rk_activation_relu) activate(p, rk_activation_relu);
  else activate(p, rk_activation_clip);
}
void rk_activate_bf16(const uint16_t *x, uint16_t *y, int64_t count, int kind, float low, float high) {
  pair p = {.a = x, .y = y, .count = count, .low = low, .high = high, .kind = kind};
  rk_parallel(activate_body, &p);
}

RK_BF16_INLINE void mask_gradient(const pair *p, int kind) {
  FOR_SHARE(p) {
    __mmask16 mask = RK_MASK(left);
    rk_lanes y = RK_LOAD_FEW(p->a + i, mask), g = RK_LOAD_FEW(p->b + i, mask);
    RK_STORE_FEW(p->y + i, mask, RK_MASKED(rk_lanes, g, y, kind, p->low, p->high));
  }
}
RK_BF16 static void activate_backward_body(void *opaque) {
  const pair *p = opaque;
  if (p->kind == rk_activation_relu) mask_gradient(p, rk_activation_relu);
  else mask_gradient(p, rk_activation_clip);
}
void rk_activate_backward_bf16(const uint16_t *y, const uint16_t *dy, uint16_t *dx, int64_t count, int kind, float low,
                               float high) {
  pair p = {.a = y, .b = dy, .y = dx, .count = count, .low = low, .high = high, .kind = kind};
  rk_parallel(activate_backward_body, &p);
}

// As in MaxPoolLanes.h.
RK_BF16_INLINE void pool_row(const rk_max_pooling *p, int64_t item, const int keeps_places) {
  int64_t row = item % p->out_height, inner = p->inner;
  const rk_bf16 *image = (const rk_bf16 *)p->x + item / p->out_height * p->height * p->width * inner;
  rk_bf16 *y = (rk_bf16 *)p->y + item * p->out_width * inner;
  uint16_t *places = keeps_places ? p->places + item * p->out_width * inner : 0;
  span down = taps_of(row, p->stride_height, p->pad_top, p->kernel_height, p->height);
  int64_t top = row * p->stride_height - p->pad_top;
  for (int64_t column = 0; column < p->out_width; column++) {
    span across = taps_of(column, p->stride_width, p->pad_left, p->kernel_width, p->width);
    int64_t left = column * p->stride_width - p->pad_left;
    for (int64_t c = 0; c < inner; c += 16) {
      __mmask16 mask = RK_MASK(inner - c);
      rk_lanes most = -__builtin_inff();
      rk_lane_numbers at = (int32_t)(down.from * p->kernel_width + across.from);
      for (int64_t i = down.from; i < down.to; i++)
        for (int64_t j = across.from; j < across.to; j++) {
          rk_lanes x = RK_LOAD_FEW(image + ((top + i) * p->width + left + j) * inner + c, mask);
          // What is larger, or the first that is NaN.
          rk_lane_numbers takes = ~(x <= most) & (most == most);
          most = takes ? x : most;
          if (keeps_places) at = takes ? (rk_lane_numbers)(int32_t)(i * p->kernel_width + j) : at;
        }
      RK_STORE_FEW(y + column * inner + c, mask, most);
      if (keeps_places)
        _mm256_mask_storeu_epi16(places + column * inner + c, mask, _mm512_cvtepi32_epi16((__m512i)at));
    }
  }
}
RK_BF16 static void pool_body(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->out_height, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    if (p->places) pool_row(p, item, 1);
    else pool_row(p, item, 0);
  }
}
void rk_max_pool_bf16(const rk_max_pooling *p) { rk_parallel(pool_body, (void *)p); }

RK_BF16 static void pool_backward_body(void *opaque) {
  const rk_max_pooling *p = opaque;
  int64_t inner = p->inner;
  rk_range share = rk_share(p->outer * p->height, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t y = item % p->height, image = item / p->height;
    rk_bf16 *dx = (rk_bf16 *)p->dx + item * p->width * inner;
    const rk_bf16 *dy = (const rk_bf16 *)p->dy + image * p->out_height * p->out_width * inner;
    const uint16_t *places = p->places + image * p->out_height * p->out_width * inner;
    span rows = windows_of(y, p->stride_height, p->pad_top, p->kernel_height, p->out_height);
    for (int64_t x = 0; x < p->width; x++) {
      span columns = windows_of(x, p->stride_width, p->pad_left, p->kernel_width, p->out_width);
      for (int64_t c = 0; c < inner; c += 16) {
        __mmask16 mask = RK_MASK(inner - c);
        rk_lanes sum = 0.0f;
        for (int64_t row = rows.from; row < rows.to; row++) {
          int64_t i = y + p->pad_top - row * p->stride_height;
          for (int64_t column = columns.from; column < columns.to; column++) {
            int64_t j = x + p->pad_left - column * p->stride_width, place = (row * p->out_width + column) * inner + c;
            rk_lane_numbers at = (rk_lane_numbers)_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, places + place));
            rk_lane_numbers is_own = at == (rk_lane_numbers)(int32_t)(i * p->kernel_width + j);
            sum += is_own ? RK_LOAD_FEW(dy + place, mask) : (rk_lanes)0.0f;
          }
        }
        RK_STORE_FEW(dx + x * inner + c, mask, sum);
      }
    }
  }
}
void rk_max_pool_backward_bf16(const rk_max_pooling *p) { rk_parallel(pool_backward_body, (void *)p); }
#else
// Nobody calls them: the engine asks the processor first.
void rk_add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *y, int64_t count) { __builtin_trap(); }
void rk_activate_bf16(const uint16_t *x, uint16_t *y, int64_t count, int kind, float low, float high) { __builtin_trap(); }
void rk_activate_backward_bf16(const uint16_t *y, const uint16_t *dy, uint16_t *dx, int64_t count, int kind, float low,
                               float high) { __builtin_trap(); }
void rk_max_pool_bf16(const rk_max_pooling *p) { __builtin_trap(); }
void rk_max_pool_backward_bf16(const rk_max_pooling *p) { __builtin_trap(); }
#endif
