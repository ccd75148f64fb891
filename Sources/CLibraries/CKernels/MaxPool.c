// Max pooling in which NaN wins, as in PyTorch; oneDNN's passes it over.
#include "CKernels.h"
#include "MaxPool.h"
#include "Team.h"

#define CLONES RK_CLONES
#define INLINE RK_INLINE
#define ELEMENT float
#define TAKE(p, count) (*(const NAME(vector) *)(p))
#define PUT(p, count, v) (*(NAME(vector) *)(p) = (v))
#define TAKE_PLACES(p, count) __builtin_convertvector(*(const NAME(place) *)(p), NAME(number))
#define PUT_PLACES(p, count, v) (*(NAME(place) *)(p) = __builtin_convertvector(v, NAME(place)))
#define LANES 16
#define NAME(x) x##_16
#include "MaxPoolLanes.h"
#undef LANES
#undef NAME
#define LANES 8
#define NAME(x) x##_8
#include "MaxPoolLanes.h"
#undef LANES
#undef NAME
#define LANES 1
#define NAME(x) x##_1
#include "MaxPoolLanes.h"

// Vectors as wide as there are numbers for, and one by one what is left.
#define EACH_WIDTH(function)                                                \
  do {                                                                      \
    int64_t wide = p->inner / 16 * 16, all = p->inner / 8 * 8;              \
    for (int64_t item = share.from; item < share.to; item++) {              \
      if (wide > 0) function##_16(p, item, 0, wide);                        \
      if (all > wide) function##_8(p, item, wide, all);                     \
      if (p->inner > all) function##_1(p, item, all, p->inner);             \
    }                                                                       \
  } while (0)

static void forward_body(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->out_height, 1);
  EACH_WIDTH(row);
}
void rk_max_pool(const rk_max_pooling *p) { rk_parallel(forward_body, (void *)p); }

static void backward_body(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->height, 1);
  EACH_WIDTH(row_backward);
}
void rk_max_pool_backward(const rk_max_pooling *p) { rk_parallel(backward_body, (void *)p); }

#undef LANES
#undef NAME
#undef CLONES
#undef INLINE
#undef ELEMENT
#undef TAKE
#undef PUT
#undef TAKE_PLACES
#undef PUT_PLACES

#if defined(__x86_64__)
#include "BFloat16.h"
#define CLONES RK_BF16
#define INLINE RK_BF16_INLINE
#define ELEMENT rk_bf16
#define TAKE(p, count) RK_LOAD_FEW(p, RK_MASK(count))
#define PUT(p, count, v) RK_STORE_FEW(p, RK_MASK(count), v)
#define TAKE_PLACES(p, count) ((NAME(number))_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(RK_MASK(count), p)))
#define PUT_PLACES(p, count, v) _mm256_mask_storeu_epi16(p, RK_MASK(count), _mm512_cvtepi32_epi16((__m512i)(v)))
#define LANES 16
#define NAME(x) x##_bf16
#include "MaxPoolLanes.h"

RK_BF16 static void forward_body_bf16(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->out_height, 1);
  for (int64_t item = share.from; item < share.to; item++) row_bf16(p, item, 0, p->inner);
}
void rk_max_pool_bf16(const rk_max_pooling *p) { rk_parallel(forward_body_bf16, (void *)p); }

RK_BF16 static void backward_body_bf16(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->height, 1);
  for (int64_t item = share.from; item < share.to; item++) row_backward_bf16(p, item, 0, p->inner);
}
void rk_max_pool_backward_bf16(const rk_max_pooling *p) { rk_parallel(backward_body_bf16, (void *)p); }
#else
// Nobody calls them: the engine asks the processor first.
void rk_max_pool_bf16(const rk_max_pooling *p) { __builtin_trap(); }
void rk_max_pool_backward_bf16(const rk_max_pooling *p) { __builtin_trap(); }
#endif
