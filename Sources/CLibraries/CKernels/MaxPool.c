// Max pooling in which NaN wins, as in PyTorch; oneDNN's passes it over.
#include "CKernels.h"
#include "MaxPool.h"
#include "Team.h"

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
