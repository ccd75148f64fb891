// The element-wise kernels for bfloat16. Each computes what its twin for float32 does, on widened
// numbers, and rounds once.
#include "CKernels.h"
#include "Team.h"
#if defined(__x86_64__)
#include "Activation.h"
#include "BFloat16.h"

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
#else
// Nobody calls them: the engine asks the processor first.
void rk_add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *y, int64_t count) { __builtin_trap(); }
void rk_activate_bf16(const uint16_t *x, uint16_t *y, int64_t count, int kind, float low, float high) { __builtin_trap(); }
void rk_activate_backward_bf16(const uint16_t *y, const uint16_t *dy, uint16_t *dx, int64_t count, int kind, float low,
                               float high) { __builtin_trap(); }
#endif
