// The kernels for convolutions on 8-bit integers, and which of them runs.
//
// Each is a row of one table, in the order in which they are asked: the first that takes a convolution on this
// processor runs it. The last row is the definition and takes everything.
#include "Int8.h"
#include <stdlib.h>
#include <strings.h>

static const rk_int8_kernel *const kernels[] = {
#ifdef RK_X86
    &rk_int8_depthwise_dot,
    &rk_int8_depthwise,
    &rk_int8_winograd_dot,
    &rk_int8_dot_512,
    &rk_int8_dot_avx,
    &rk_int8_dot_256,
#endif
    &rk_int8_row,
#ifdef RK_X86
    &rk_int8_winograd,
    &rk_int8_bundles,
#endif
    &rk_int8_plain,
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
