// Numbers of 16 bits for kernels that compute in float32: bfloat16, the upper half of a float. Rounded to the nearest, of
// two as near to the even one; NaN stays NaN. Callers have made sure that the processor has AVX512_BF16.
#pragma once
#include <immintrin.h>
#include <stdint.h>

typedef uint16_t rk_bf16;
typedef float rk_lanes __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t rk_lane_numbers __attribute__((ext_vector_type(16), aligned(4)));

#define RK_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define RK_BF16_INLINE static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

static inline float rk_number_of_bf16(rk_bf16 element) {
  union { uint32_t bits; float number; } wide = {.bits = (uint32_t)element << 16};
  return wide.number;
}

// Macros, since a vector may not be passed between functions that are compiled for different processors.
#define RK_WIDEN(half) ((rk_lanes)_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))
#define RK_NARROW(v) ((__m256i)_mm512_cvtneps_pbh((__m512)(v)))
#define RK_LOAD_BF16(p) RK_WIDEN(_mm256_loadu_si256((const __m256i *)(p)))
#define RK_STORE_BF16(p, v) _mm256_storeu_si256((__m256i *)(p), RK_NARROW(v))
// The first few of 16, as a mask has it.
#define RK_MASK(count) ((__mmask16)((count) >= 16 ? 0xffff : (1u << (count)) - 1))
#define RK_LOAD_FEW(p, mask) RK_WIDEN(_mm256_maskz_loadu_epi16((mask), (p)))
#define RK_STORE_FEW(p, mask, v) _mm256_mask_storeu_epi16((p), (mask), RK_NARROW(v))
