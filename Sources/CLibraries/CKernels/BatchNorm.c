// Batch norm on blocked activations.
//
// Goals, in order: the same bits for any number of threads; no cancellation in the variance; few passes over memory.
// Sums are taken per (sample, block) in single precision around a value of the channel itself, then joined in double
// in the order of the samples.
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

static void keep_statistics(const rk_batch_norm *p) {
  rk_range share = rk_share(p->channels, p->block);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    p->mean[channel] = p->running_mean[channel];
    p->rstd[channel] = (float)(1 / sqrt((double)p->running_variance[channel] + p->epsilon));
  }
}

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

void rk_batch_norm_forward(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? forward_16 : forward_8, (void *)p, 0, 0);
}

void rk_batch_norm_backward(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? backward_16 : backward_8, (void *)p, 0, 0);
}

void rk_batch_norm_forward_sums(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? forward_sums_16 : forward_sums_8, (void *)p, 0, 0);
}

void rk_batch_norm_forward_rest(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? forward_rest_16 : forward_rest_8, (void *)p, 0, 0);
}

void rk_batch_norm_backward_sums(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? backward_sums_16 : backward_sums_8, (void *)p, 0, 0);
}

void rk_batch_norm_backward_rest(const rk_batch_norm *p) {
  GOMP_parallel(p->block == 16 ? backward_rest_16 : backward_rest_8, (void *)p, 0, 0);
}
