// Batch norm on blocked activations.
//
// Goals, in order: the same bits for any number of threads; no cancellation in the variance; few passes over memory.
// Sums are taken per (sample, block) in single precision around a value of the channel itself, then joined in double
// in the order of the samples. Where a block of channels of all samples fits into a core's cache, a thread does all of
// it before the next: what the second pass reads is then still there. The numbers are the same either way.
#include "Activation.h"
#include "CKernels.h"
#include "Team.h"
#include <math.h>
#include <string.h>

int64_t rk_batch_norm_scratch(int64_t batch, int64_t channels) { return 2 * batch * channels + 2 * channels; }

// Macros, since a vector may not be passed between functions that are compiled for different processors.
#define LOAD(p) (*(const VECTOR *)(p))
#define STORE(p, v) (*(VECTOR *)(p) = (v))
#define ACTIVATE(v, activation, low, high) RK_ACTIVATE(VECTOR, v, activation, low, high)
#define MASKED(g, y, activation, low, high) RK_MASKED(VECTOR, g, y, activation, low, high)

static void set_statistics(const rk_batch_norm *p, int64_t channel, double mean, double variance, double count) {
  p->mean[channel] = (float)mean;
  p->rstd[channel] = (float)(1 / sqrt(variance + p->epsilon));
  double unbiased = count > 1 ? variance * count / (count - 1) : variance;
  p->running_mean[channel] += p->momentum * ((float)mean - p->running_mean[channel]);
  p->running_variance[channel] += p->momentum * ((float)unbiased - p->running_variance[channel]);
}

static void keep_statistics(void *opaque) {
  const rk_batch_norm *p = opaque;
  rk_range share = rk_share(p->channels, p->block);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    p->mean[channel] = p->running_mean[channel];
    p->rstd[channel] = (float)(1 / sqrt((double)p->running_variance[channel] + p->epsilon));
  }
}

// A thread's share of the pairs of sample and block, counted sample by sample or block by block.
typedef struct { int64_t from, to; int is_by_block; } items;

RK_INLINE int64_t item_of(const rk_batch_norm *p, int64_t blocks, items share, int64_t i) {
  return share.is_by_block ? i % p->batch * blocks + i / p->batch : i;
}
static items own_items(const rk_batch_norm *p, int64_t blocks) {
  rk_range share = rk_share(p->batch * blocks, 1);
  return (items){share.from, share.to, 0};
}
static items items_of_block(const rk_batch_norm *p, int64_t block) {
  return (items){block * p->batch, (block + 1) * p->batch, 1};
}

// What caches keep for a thread between two passes, found by trying on 1 MiB for each core and 32 MiB for all.
static const int64_t kept_bytes = 16 << 20;

// Whether a thread takes whole blocks, of which both passes read so many arrays; the threads must get equal shares.
static int goes_by_block(const rk_batch_norm *p, int64_t arrays) {
  int64_t threads = omp_get_max_threads(), blocks = p->channels / p->block, element_bytes = p->is_bf16 ? 2 : 4;
  return (blocks % threads == 0 || blocks >= 8 * threads)
         && p->batch * p->pixels * p->block * arrays * element_bytes <= kept_bytes;
}

#define CLONES RK_CLONES
#define INLINE RK_INLINE
#define ELEMENT float
#define TAKE LOAD
#define PUT STORE
#define NUMBER(element) (element)
#define VECTOR vector16
#define BLOCK 16
#define NAME(x) x##_16
typedef float vector16 __attribute__((ext_vector_type(16), aligned(4)));
#include "BatchNormBlock.h"
#undef VECTOR
#undef BLOCK
#undef NAME
#define VECTOR vector8
#define BLOCK 8
#define NAME(x) x##_8
typedef float vector8 __attribute__((ext_vector_type(8), aligned(4)));
#include "BatchNormBlock.h"
#undef VECTOR
#undef BLOCK
#undef NAME
#undef CLONES
#undef INLINE
#undef ELEMENT
#undef TAKE
#undef PUT
#undef NUMBER

#if defined(__x86_64__)
#include "BFloat16.h"
#define CLONES RK_BF16
#define INLINE RK_BF16_INLINE
#define ELEMENT rk_bf16
#define TAKE RK_LOAD_BF16
#define PUT RK_STORE_BF16
#define NUMBER(element) rk_number_of_bf16(element)
#define VECTOR vector16
#define BLOCK 16
#define NAME(x) x##_bf16
#include "BatchNormBlock.h"
#define RUN(p, step) rk_parallel((p)->is_bf16 ? step##_bf16 : (p)->block == 16 ? step##_16 : step##_8, (void *)(p))
#else
#define RUN(p, step) rk_parallel((p)->block == 16 ? step##_16 : step##_8, (void *)(p))
#endif

void rk_batch_norm_forward_sums(const rk_batch_norm *p) {
  RUN(p, sum_forward_share);
  RUN(p, join_forward_share);
}
void rk_batch_norm_forward_rest(const rk_batch_norm *p) {
  RUN(p, take_forward);
  RUN(p, normalize_share);
}
void rk_batch_norm_forward(const rk_batch_norm *p) {
  if (*p->is_frozen) {
    rk_parallel(keep_statistics, (void *)p);
    RUN(p, normalize_share);
  } else if (goes_by_block(p, p->has_residual ? 2 : 1)) {
    RUN(p, forward_blocks);
  } else {
    rk_batch_norm_forward_sums(p);
    RUN(p, normalize_share);
  }
}

void rk_batch_norm_backward_sums(const rk_batch_norm *p) {
  RUN(p, sum_gradient_share);
  RUN(p, join_gradient_share);
}
void rk_batch_norm_backward_rest(const rk_batch_norm *p) {
  RUN(p, take_gradient);
  RUN(p, spread_gradient_share);
}
void rk_batch_norm_backward(const rk_batch_norm *p) {
  if (goes_by_block(p, 2)) {
    RUN(p, backward_blocks);
  } else {
    rk_batch_norm_backward_sums(p);
    RUN(p, spread_gradient_share);
  }
}
