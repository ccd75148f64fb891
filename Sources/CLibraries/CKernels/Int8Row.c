// A few pixels that see one pixel each, or the whole image: dense layers of few examples. Nothing is used often, so
// that weights lie in the order of what a pixel sees: [channel][place], rows rounded up.
#include "Int8.h"

enum { row_grain = 32 };

static int is_row(const rk_int8_convolution *p) {
  int sees_all = p->kernel_height == p->height && p->kernel_width == p->width;
  int sees_one = p->kernel_height == 1 && p->kernel_width == 1 && p->stride_height == 1 && p->stride_width == 1 &&
                 p->out_height == p->height && p->out_width == p->width;
  int is_few = p->batch * p->out_height * p->out_width <= 4 && p->pad_top == 0 && p->pad_left == 0;
  int is_whole = p->dilation_height == 1 && p->dilation_width == 1 && p->groups == 1;
  return is_few && is_whole && (sees_one || (sees_all && p->out_height == 1 && p->out_width == 1));
}

static int64_t row_places(const rk_int8_convolution *p) { return p->channels * p->kernel_height * p->kernel_width; }
static int64_t row_length(const rk_int8_convolution *p) {
  return rk_quotient(row_places(p), row_grain) * row_grain;
}

static int64_t row_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  (void)weights;
  return p->out_channels * row_length(p);
}

static void pack_rows(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  int64_t places = row_places(p), length = row_length(p), area = places / p->channels;
  memset(packed, 0, row_bytes(p, weights));
  for (int64_t o = 0; o < p->out_channels; o++) {
    for (int64_t i = 0; i < places; i++) {
      ((int8_t *)packed)[o * length + i] = weights[o * places + i % p->channels * area + i / p->channels];
    }
  }
}

RK_CLONES static void convolve_rows(void *context) {
  const rk_int8_convolution *p = context;
  int64_t places = row_places(p), length = row_length(p);
  int16_t *x = (int16_t *)rk_aligned((intptr_t)p->scratch) + omp_get_thread_num() * length;
  memset(x, 0, length * sizeof *x);
  rk_range share = rk_share(p->out_channels, 1);
  for (int64_t pixel = 0; pixel < p->batch * p->out_height * p->out_width; pixel++) {
    for (int64_t i = 0; i < places; i++) x[i] = p->x[pixel * places + i];
    for (int64_t o = share.from; o < share.to; o++) {
      const int8_t *w = (const int8_t *)p->weights + o * length;
      uint32_t sum = 0;
      for (int64_t i = 0; i < length; i++) sum += (uint32_t)(x[i] * w[i]);
      rk_int8_finish(p, pixel * p->out_channels + o, o, (int32_t)((uint32_t)p->bias[o] + sum));
    }
  }
}

static int64_t row_scratch(const rk_int8_convolution *p) { return row_length(p) * (int64_t)sizeof(int16_t); }
static void run_rows(const rk_int8_convolution *p) { rk_parallel(convolve_rows, (void *)p); }

const rk_int8_kernel rk_int8_row = {"own int8 row", 0, is_row, row_bytes, pack_rows, row_scratch, run_rows};
