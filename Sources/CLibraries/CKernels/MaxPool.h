// Which places of an image and which windows of a pooling belong together.
#pragma once
#include <stdint.h>

typedef struct { int64_t from, to; } span;

// The part of a window's extent that lies on the image.
static inline span taps_of(int64_t place, int32_t stride, int32_t pad, int32_t kernel, int64_t extent) {
  int64_t start = place * stride - pad, left = extent - start;
  return (span){start < 0 ? -start : 0, left < kernel ? left : kernel};
}
// The windows that a place of the image lies in.
static inline span windows_of(int64_t place, int32_t stride, int32_t pad, int32_t kernel, int64_t windows) {
  int64_t last = (place + pad) / stride + 1, before = place + pad - kernel;
  return (span){before < 0 ? 0 : before / stride + 1, last < windows ? last : windows};
}
