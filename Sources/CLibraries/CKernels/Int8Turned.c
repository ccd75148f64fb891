// Results that lie channel by channel, written pixel by pixel.
#include "Int8.h"

#ifdef RK_X86

enum { transposed = 16 };  // channels at most, and pixels of half a vector

RK_AVX2 void rk_int8_write_turned(const rk_int8_convolution *p, const uint8_t *results, int64_t stride, int64_t channel,
                                  int64_t channels, const int64_t *offsets, int64_t count) {
  rk_int8_addition with = rk_int8_addition_of(p);
  uint8_t *y = p->y + channel, nowhere[transposed];
  const uint8_t *residual = p->residual ? p->residual + channel : 0;
  for (int64_t first = 0; first < count; first += 2 * transposed, offsets += 2 * transposed) {
    // Rows and bytes change places when both, as one number, are transposed by 4 bits. There are two pixels in a row then,
    // the second 16 after the first.
    __m256i rows[transposed], next[transposed];
#pragma clang loop unroll(full)
    for (int i = 0; i < transposed; i++) rows[i] = _mm256_load_si256((const void *)(results + i * stride + first));
#pragma clang loop unroll(full)
    for (int stage = 0; stage < 4; stage++) {
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed / 2; i++) {
        next[2 * i] = _mm256_unpacklo_epi8(rows[i], rows[i + 8]);
        next[2 * i + 1] = _mm256_unpackhi_epi8(rows[i], rows[i + 8]);
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed; i++) rows[i] = next[i];
    }
    if (channels == transposed && count - first >= 2 * transposed) {
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed; i++) {
        int64_t a = offsets[i], b = offsets[i + transposed];
        if (residual) {
          const uint8_t *r_a = a < 0 ? nowhere : residual + a, *r_b = b < 0 ? nowhere : residual + b;
          __m256i r = _mm256_castsi128_si256(_mm_loadu_si128((const void *)r_a));
          r = _mm256_inserti128_si256(r, _mm_loadu_si128((const void *)r_b), 1);
          rows[i] = rk_int8_add_residual(rows[i], r, &with);
        }
        _mm_storeu_si128((void *)(a < 0 ? nowhere : y + a), _mm256_castsi256_si128(rows[i]));
        _mm_storeu_si128((void *)(b < 0 ? nowhere : y + b), _mm256_extracti128_si256(rows[i], 1));
      }
      continue;
    }
    uint8_t own[2 * transposed][transposed], other[2 * transposed][transposed] = {0};
    int64_t left = rk_smaller(2 * transposed, count - first);
    for (int64_t i = 0; residual && i < left; i++) {
      if (offsets[i] >= 0) memcpy(other[i], residual + offsets[i], channels);
    }
    for (int i = 0; i < transposed; i++) {
      __m256i r = _mm256_castsi128_si256(_mm_loadu_si128((const void *)other[i]));
      r = _mm256_inserti128_si256(r, _mm_loadu_si128((const void *)other[i + transposed]), 1);
      if (residual) rows[i] = rk_int8_add_residual(rows[i], r, &with);
      _mm_storeu_si128((void *)own[i], _mm256_castsi256_si128(rows[i]));
      _mm_storeu_si128((void *)own[i + transposed], _mm256_extracti128_si256(rows[i], 1));
    }
    for (int64_t i = 0; i < left; i++) {
      if (offsets[i] >= 0) memcpy(y + offsets[i], own[i], channels);
    }
  }
}

#endif
