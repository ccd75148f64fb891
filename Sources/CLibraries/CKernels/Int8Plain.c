// The definition, for processors without a kernel of their own. Weights are as they are given.
#include "Int8.h"

static int64_t filter_places(const rk_int8_convolution *p) {
  return p->channels / p->groups * p->kernel_height * p->kernel_width;
}

static int64_t plain_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  (void)weights;
  return p->out_channels * filter_places(p);
}

static void pack_plain(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  memcpy(packed, weights, plain_bytes(p, weights));
}

static void convolve_plain(void *context) {
  const rk_int8_convolution *p = context;
  int64_t inputs = p->channels / p->groups, outputs = p->out_channels / p->groups;
  rk_range share = rk_share(p->batch * p->out_height * p->out_width, 1);
  for (int64_t pixel = share.from; pixel < share.to; pixel++) {
    int64_t left = pixel % p->out_width * p->stride_width - p->pad_left;
    int64_t top = pixel / p->out_width % p->out_height * p->stride_height - p->pad_top;
    const uint8_t *image = p->x + pixel / p->out_width / p->out_height * p->height * p->width * p->channels;
    const int8_t *w = p->weights;
    for (int64_t o = 0; o < p->out_channels; o++) {
      uint32_t sum = (uint32_t)p->bias[o];
      for (int64_t c = o / outputs * inputs; c < (o / outputs + 1) * inputs; c++) {
        for (int64_t y = 0; y < p->kernel_height; y++) {
          for (int64_t x = 0; x < p->kernel_width; x++) {
            int64_t row = top + y * p->dilation_height, column = left + x * p->dilation_width;
            int is_inside = row >= 0 && row < p->height && column >= 0 && column < p->width;
            sum += (uint32_t)(*w++ * (is_inside ? image[(row * p->width + column) * p->channels + c] : p->zero));
          }
        }
      }
      rk_int8_finish(p, pixel * p->out_channels + o, o, (int32_t)sum);
    }
  }
}

static int64_t no_scratch(const rk_int8_convolution *p) {
  (void)p;
  return 0;
}

static void run_plain(const rk_int8_convolution *p) { rk_parallel(convolve_plain, (void *)p); }

const rk_int8_kernel rk_int8_plain = {
    "own int8 plain", 0, rk_int8_any, plain_bytes, pack_plain, no_scratch, run_plain};
