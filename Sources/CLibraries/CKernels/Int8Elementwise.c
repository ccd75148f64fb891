// To and from 8-bit integers, pools and sums of them.
#include "Int8.h"

enum { run = 256 };  // pixels that are transposed from planes to NHWC, or back, at a time

typedef struct {
  const void *x, *other;
  void *y;
  int64_t batch, channels, pixels;
  float scale;
  rk_int8_input from, other_from;
  rk_int8_output to;
} job;

RK_INLINE void quantize_row(const float *x, uint8_t *y, int64_t count, float scale, rk_int8_output to) {
  float least = (float)(to.low - to.zero), greatest = (float)(to.high - to.zero);
  for (int64_t i = 0; i < count; i++) {
    float v = x[i] / scale;
    v = v > least ? v : least;
    v = v < greatest ? v : greatest;
    y[i] = (uint8_t)((int32_t)rintf(v) + to.zero);
  }
}

RK_INLINE void dequantize_row(const uint8_t *x, float *y, int64_t count, float scale, int32_t zero) {
  for (int64_t i = 0; i < count; i++) y[i] = scale * (float)((int32_t)x[i] - zero);
}

RK_CLONES static void quantize_planar(void *context) {
  const job *job = context;
  uint8_t row[run];
  int64_t runs = rk_quotient(job->pixels, run);
  rk_range share = rk_share(job->batch * runs, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t image = item / runs, from = item % runs * run, count = rk_smaller(run, job->pixels - from);
    for (int64_t c = 0; c < job->channels; c++) {
      const float *x = (const float *)job->x + (image * job->channels + c) * job->pixels + from;
      uint8_t *y = (uint8_t *)job->y + (image * job->pixels + from) * job->channels + c;
      quantize_row(x, row, count, job->scale, job->to);
      for (int64_t i = 0; i < count; i++) y[i * job->channels] = row[i];
    }
  }
}

RK_CLONES static void dequantize_planar(void *context) {
  const job *job = context;
  uint8_t row[run];
  int64_t runs = rk_quotient(job->pixels, run);
  rk_range share = rk_share(job->batch * runs, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t image = item / runs, from = item % runs * run, count = rk_smaller(run, job->pixels - from);
    for (int64_t c = 0; c < job->channels; c++) {
      const uint8_t *x = (const uint8_t *)job->x + (image * job->pixels + from) * job->channels + c;
      for (int64_t i = 0; i < count; i++) row[i] = x[i * job->channels];
      dequantize_row(row, (float *)job->y + (image * job->channels + c) * job->pixels + from, count, job->scale,
                     job->from.zero);
    }
  }
}

RK_CLONES static void max_pool(void *context) {
  const rk_int8_pooling *p = context;
  int64_t channels = p->channels;
  rk_range share = rk_share(p->batch * p->out_height * p->out_width, 1);
  for (int64_t pixel = share.from; pixel < share.to; pixel++) {
    int64_t left = pixel % p->out_width * p->stride_width - p->pad_left;
    int64_t top = pixel / p->out_width % p->out_height * p->stride_height - p->pad_top;
    const uint8_t *image = p->x + pixel / p->out_width / p->out_height * p->height * p->width * channels;
    int64_t right = rk_smaller(left + p->kernel_width, p->width);
    int64_t bottom = rk_smaller(top + p->kernel_height, p->height);
    uint8_t *y = p->y + pixel * channels;
    memset(y, 0, channels);
    for (int64_t row = top < 0 ? 0 : top; row < bottom; row++) {
      for (int64_t column = left < 0 ? 0 : left; column < right; column++) {
        const uint8_t *x = image + (row * p->width + column) * channels;
        for (int64_t c = 0; c < channels; c++) y[c] = y[c] > x[c] ? y[c] : x[c];
      }
    }
  }
}

RK_CLONES static void average(void *context) {
  const job *job = context;
  rk_range share = rk_share(job->channels, 64);
  for (int64_t image = 0; image < job->batch; image++) {
    const uint8_t *x = (const uint8_t *)job->x + image * job->pixels * job->channels;
    uint8_t *y = (uint8_t *)job->y + image * job->channels;
    for (int64_t from = share.from; from < share.to; from += 64) {
      int32_t sums[64] = {0};
      int64_t count = rk_smaller(64, share.to - from);
      for (int64_t i = 0; i < job->pixels; i++) {
        for (int64_t c = 0; c < count; c++) sums[c] += x[i * job->channels + from + c];
      }
      for (int64_t c = 0; c < count; c++) {
        float v = (float)(sums[c] - (int32_t)job->pixels * job->from.zero) * job->from.factor;
        y[from + c] = (uint8_t)rk_int8_rounded(v, job->to.zero, job->to.low, job->to.high);
      }
    }
  }
}

RK_CLONES static void add(void *context) {
  const job *job = context;
  const uint8_t *a = job->x, *b = job->other;
  uint8_t *y = job->y;
  float least = (float)(job->to.low - job->to.zero), greatest = (float)(job->to.high - job->to.zero);
  float a_factor = job->from.factor, b_factor = job->other_from.factor;
  int32_t a_zero = job->from.zero, b_zero = job->other_from.zero, y_zero = job->to.zero;
  rk_range share = rk_share(job->pixels, 64);
  for (int64_t i = share.from; i < share.to; i++) {
    float own = (float)(a[i] - a_zero) * a_factor, other = (float)(b[i] - b_zero) * b_factor, v = own + other;
    v = v > least ? v : least;
    v = v < greatest ? v : greatest;
    y[i] = (uint8_t)((int32_t)rintf(v) + y_zero);
  }
}

RK_CLONES static void rescale(void *context) {
  const job *job = context;
  float least = (float)(job->to.low - job->to.zero), greatest = (float)(job->to.high - job->to.zero);
  float factor = job->from.factor;
  int32_t zero = job->from.zero, y_zero = job->to.zero;
  rk_range share = rk_share(job->pixels, 16);
  for (int64_t i = share.from; i < share.to; i++) {
    const uint8_t *x = (const uint8_t *)job->x + i * job->channels;
    uint8_t *y = (uint8_t *)job->y + i * job->batch;
    for (int64_t c = 0; c < job->channels; c++) {
      float v = (float)((int32_t)x[c] - zero) * factor;
      v = v > least ? v : least;
      v = v < greatest ? v : greatest;
      y[c] = (uint8_t)((int32_t)rintf(v) + y_zero);
    }
  }
}

void rk_int8_quantize_planar(const float *x, uint8_t *y, int64_t batch, int64_t channels, int64_t pixels, float scale,
                             rk_int8_output to) {
  job job = {.x = x, .y = y, .batch = batch, .channels = channels, .pixels = pixels, .scale = scale, .to = to};
  rk_parallel(quantize_planar, &job);
}

void rk_int8_dequantize_planar(const uint8_t *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
                               float scale, int32_t zero) {
  job job = {.x = x, .y = y, .batch = batch, .channels = channels, .pixels = pixels, .scale = scale, .from = {zero, 1}};
  rk_parallel(dequantize_planar, &job);
}

void rk_int8_max_pool(const rk_int8_pooling *p) { rk_parallel(max_pool, (void *)p); }

void rk_int8_average(const uint8_t *x, uint8_t *y, int64_t batch, int64_t pixels, int64_t channels, rk_int8_input from,
                     rk_int8_output to) {
  job job = {.x = x, .y = y, .batch = batch, .channels = channels, .pixels = pixels, .from = from, .to = to};
  rk_parallel(average, &job);
}

void rk_int8_add(const uint8_t *a, const uint8_t *b, uint8_t *y, int64_t count, rk_int8_input of_a, rk_int8_input of_b,
                 rk_int8_output to) {
  job job = {.x = a, .other = b, .y = y, .pixels = count, .from = of_a, .other_from = of_b, .to = to};
  rk_parallel(add, &job);
}

void rk_int8_rescale(const uint8_t *x, uint8_t *y, int64_t count, int64_t channels, int64_t stride, rk_int8_input from,
                     rk_int8_output to) {
  // The stride goes where a batch would.
  job job = {.x = x, .y = y, .batch = stride, .channels = channels, .pixels = count, .from = from, .to = to};
  rk_parallel(rescale, &job);
}
