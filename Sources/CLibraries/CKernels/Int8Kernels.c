// The kernels for convolutions on 8-bit integers, and which of them runs.
//
// Each is a row of one table, in the order in which they are asked: the first that takes a convolution on this
// processor runs it. The last row is the definition and takes everything.
#include "Int8.h"
#include <stdlib.h>
#include <strings.h>

// A few pixels that see one pixel each, or the whole image: dense layers of few examples. Nothing is used often, so
// that weights lie in the order of what a pixel sees: [channel][place], rows rounded up.
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
static void run_rows(const rk_int8_convolution *p) { GOMP_parallel(convolve_rows, (void *)p, 0, 0); }

static const rk_int8_kernel row = {"own int8 row", 0, is_row, row_bytes, pack_rows, row_scratch, run_rows};

// The definition, for processors without a kernel of their own. Weights are as they are given.
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

static void run_plain(const rk_int8_convolution *p) { GOMP_parallel(convolve_plain, (void *)p, 0, 0); }

static const rk_int8_kernel plain = {
    "own int8 plain", 0, rk_int8_any, plain_bytes, pack_plain, no_scratch, run_plain};

static const rk_int8_kernel *const kernels[] = {
#ifdef RK_X86
    &rk_int8_depthwise_dot,
    &rk_int8_depthwise,
    &rk_int8_winograd_dot,
    &rk_int8_dot_512,
    &rk_int8_dot_avx,
    &rk_int8_dot_256,
#endif
    &row,
#ifdef RK_X86
    &rk_int8_winograd,
    &rk_int8_bundles,
#endif
    &plain,
};

// What the processor has, and what of it ONEDNN_MAX_CPU_ISA leaves: oneDNN's own kernels obey it too.
static unsigned features(void) {
  unsigned has = 0;
#ifdef RK_X86
  static const struct { const char *name; unsigned features; } limits[] = {
      {"SSE41", 0}, {"AVX", 0}, {"AVX2", RK_HAS_AVX2}, {"AVX2_VNNI", RK_HAS_AVX2 | RK_HAS_AVX_VNNI},
      {"AVX512_CORE", RK_HAS_AVX2}};
  if (__builtin_cpu_supports("avx2")) has |= RK_HAS_AVX2;
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni")) has |= RK_HAS_AVX512_VNNI;
  if (__builtin_cpu_supports("avxvnni")) has |= RK_HAS_AVX_VNNI;
  const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
  for (size_t i = 0; limit && i < sizeof limits / sizeof *limits; i++) {
    if (strcasecmp(limit, limits[i].name) == 0) has &= limits[i].features;
  }
#endif
  return has;
}

int rk_int8_kernels(void) { return sizeof kernels / sizeof *kernels; }
const char *rk_int8_name(int kernel) { return kernels[kernel]->name; }

int rk_int8_accepts(int kernel, const rk_int8_convolution *p) {
  return (kernels[kernel]->needs & ~features()) == 0 && kernels[kernel]->accepts(p);
}

int rk_int8_choose(const rk_int8_convolution *p) {
  int kernel = 0;
  while (!rk_int8_accepts(kernel, p)) kernel++;
  return kernel;
}

int64_t rk_int8_packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  return kernels[p->kernel]->packed_bytes(p, weights);
}

void rk_int8_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  kernels[p->kernel]->pack(p, weights, packed);
}

int64_t rk_int8_scratch(const rk_int8_convolution *p, int threads) {
  return threads * kernels[p->kernel]->scratch(p) + 64;
}

void rk_int8_convolve(const rk_int8_convolution *p) { kernels[p->kernel]->run(p); }
