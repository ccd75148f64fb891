#include "CKernels.h"
#include "Team.h"
#include <string.h>

// Pixels are four bytes. Weights are in units of 2^-22, and each pass rounds to bytes, as Pillow does.
typedef uint8_t bytes4 __attribute__((ext_vector_type(4)));
typedef int32_t ints4 __attribute__((ext_vector_type(4)));

RK_INLINE uint8_t to_byte(int32_t sum) {
  int32_t x = sum >> 22;
  return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

RK_CLONES void rk_resample_rows(const uint8_t *source, int64_t width, int64_t height, const rk_taps *columns,
                                uint8_t *target) {
  for (int64_t y = 0; y < height; y++) {
    const uint8_t *line = source + 4 * y * width;
    uint8_t *out = target + 4 * y * columns->outputs;
    for (int64_t x = 0; x < columns->outputs; x++) {
      const uint8_t *from = line + 4 * columns->starts[x];
      const int32_t *weights = columns->weights + x * columns->stride;
      ints4 sum = 1 << 21;
      for (int64_t i = 0; i < columns->stride; i++) {
        bytes4 pixel;
        memcpy(&pixel, from + 4 * i, 4);
        sum += __builtin_convertvector(pixel, ints4) * weights[i];
      }
      for (int c = 0; c < 4; c++) out[4 * x + c] = to_byte(sum[c]);
    }
  }
}

RK_CLONES void rk_resample_columns(const uint8_t *source, int64_t width, const rk_taps *rows, uint8_t *target) {
  int64_t count = 4 * width;
  int32_t sums[512];
  for (int64_t y = 0; y < rows->outputs; y++) {
    const int32_t *weights = rows->weights + y * rows->stride;
    for (int64_t start = 0; start < count; start += 512) {
      int64_t n = count - start < 512 ? count - start : 512;
      for (int64_t j = 0; j < n; j++) sums[j] = 1 << 21;
      for (int64_t i = 0; i < rows->stride; i++) {
        const uint8_t *from = source + (rows->starts[y] + i) * count + start;
        int32_t weight = weights[i];
        if (weight == 0) continue;
        for (int64_t j = 0; j < n; j++) sums[j] += weight * from[j];
      }
      uint8_t *out = target + y * count + start;
      for (int64_t j = 0; j < n; j++) out[j] = to_byte(sums[j]);
    }
  }
}

RK_CLONES void rk_split_pixels(const uint8_t *pixels, int64_t count, uint8_t *planes) {
  uint8_t *red = planes, *green = planes + count, *blue = planes + 2 * count;
  for (int64_t i = 0; i < count; i++) {
    red[i] = pixels[4 * i];
    green[i] = pixels[4 * i + 1];
    blue[i] = pixels[4 * i + 2];
  }
}

RK_CLONES void rk_weigh_pixels(const uint8_t *pixels, int64_t count, uint8_t *grey) {
  // 0.299, 0.587 and 0.114 in units of 2^-16, as Pillow rounds them.
  for (int64_t i = 0; i < count; i++) {
    const uint8_t *p = pixels + 4 * i;
    grey[i] = (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
  }
}
