// Max pooling in which NaN wins, as in PyTorch; oneDNN's passes it over.
#include "CKernels.h"
#include "Team.h"

typedef struct { int64_t from, to; } span;

// The part of a window's extent that lies on the picture.
static inline span taps_of(int64_t place, int32_t stride, int32_t pad, int32_t kernel, int64_t extent) {
  int64_t start = place * stride - pad, left = extent - start;
  return (span){start < 0 ? -start : 0, left < kernel ? left : kernel};
}
// The windows that a place of the picture lies in.
static inline span windows_of(int64_t place, int32_t stride, int32_t pad, int32_t kernel, int64_t windows) {
  int64_t last = (place + pad) / stride + 1, before = place + pad - kernel;
  return (span){before < 0 ? 0 : before / stride + 1, last < windows ? last : windows};
}

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
void rk_max_pool(const rk_max_pooling *p) { GOMP_parallel(forward_body, (void *)p, 0, 0); }

static void backward_body(void *opaque) {
  const rk_max_pooling *p = opaque;
  rk_range share = rk_share(p->outer * p->height, 1);
  EACH_WIDTH(row_backward);
}
void rk_max_pool_backward(const rk_max_pooling *p) { GOMP_parallel(backward_body, (void *)p, 0, 0); }
