// From sums to quantized values, for one kind of vectors: included for each kind that there is, with
//
//   SUFFIX   what is appended to names
//   TARGET   the attribute
//   LANES    32-bit lanes of a vector, 16 or 8
//
// The sums of a pixel are at most four vectors of 16 lanes, or two of 8, with output channels in the order of
// rk_int8_lane.

#define JOIN(name, suffix) name##suffix
#define WITH(name, suffix) JOIN(name, suffix)
#define OWN(name) WITH(name, SUFFIX)

#if LANES == 16
#define VECTORS 4
#define INTEGERS __m512i
#define FLOATS __m512
#define V(operation) _mm512_##operation
#define BITS(operation) _mm512_##operation##_si512
#else
#define VECTORS 2
#define INTEGERS __m256i
#define FLOATS __m256
#define V(operation) _mm256_##operation
#define BITS(operation) _mm256_##operation##_si256
#endif

// What rounding needs, held where a byte that is written cannot change it.
typedef struct {
  FLOATS least, greatest, own_factor, other_factor, other_zero, sum_greatest;
  INTEGERS zero, low, spread, gathered;
} OWN(rounding);

TARGET RK_INLINE OWN(rounding) OWN(rounding_of)(const rk_int8_convolution *p, const int vectors) {
  int32_t zero = p->residual ? p->sum_zero : p->y_zero, low = p->residual ? p->sum_low : p->low;
  OWN(rounding) by = {
      .least = V(set1_ps)((float)(p->low - p->y_zero)), .greatest = V(set1_ps)((float)(p->high - p->y_zero)),
      .own_factor = V(set1_ps)(p->q_factor), .other_factor = V(set1_ps)(p->r_factor),
      .other_zero = V(set1_ps)((float)((1 << 23) + p->r_zero)),
      .sum_greatest = V(set1_ps)((float)(p->sum_high - p->sum_zero)),
      .zero = V(set1_epi16)((int16_t)zero), .low = V(set1_epi8)((char)low)};
#if LANES == 16
  // Where the dwords of a panel with fewer vectors are among those of a whole one, and back.
  int32_t spread[LANES], gathered[LANES] = {0};
  for (int i = 0; i < LANES; i++) {
    spread[i] = i / 4 * vectors + (i % 4 < vectors ? i % 4 : 0);
    if (i % 4 < vectors) gathered[spread[i]] = i;
  }
  memcpy(&by.spread, spread, sizeof spread);
  memcpy(&by.gathered, gathered, sizeof gathered);
#else
  (void)vectors;
#endif
  return by;
}

// Some output channels: the first, how many, and what each needs.
typedef struct {
  int64_t channel, channels;
  INTEGERS bias[VECTORS];
  FLOATS scales[VECTORS];
  OWN(rounding) rounding;
} OWN(panel);

TARGET RK_INLINE OWN(panel) OWN(panel_of)(const rk_int8_convolution *p, int64_t channel, int64_t channels,
                                          const int vectors) {
  OWN(panel) panel = {.channel = channel, .channels = channels, .rounding = OWN(rounding_of)(p, vectors)};
  int32_t bias[VECTORS * LANES] = {0};
  float scales[VECTORS * LANES] = {0};
  for (int64_t c = 0; c < channels; c++) {
    int64_t lane = rk_int8_lane(c, vectors, LANES);
    bias[lane] = p->bias[channel + c], scales[lane] = p->scales[channel + c];
  }
  memcpy(panel.bias, bias, sizeof bias);
  memcpy(panel.scales, scales, sizeof scales);
  return panel;
}

// The sums of a pixel as quantized values.
TARGET RK_INLINE void OWN(round_sums)(const OWN(panel) *panel, const OWN(rounding) *by, const INTEGERS *sum, uint8_t *y,
                                      const uint8_t *residual, const int vectors, const int is_whole) {
  FLOATS v[VECTORS];
#pragma clang loop unroll(full)
  for (int j = 0; j < vectors; j++) {
    v[j] = V(min_ps)(V(mul_ps)(V(cvtepi32_ps)(sum[j]), panel->scales[j]), by->greatest);
  }
#if LANES == 16
  __mmask64 mask = ~(__mmask64)0 >> (64 - panel->channels);
#endif
  if (residual) {
    INTEGERS r[VECTORS];
    // 2^23 + x, x less than 2^23, has the bits of x below those of 2^23.
#if LANES == 16
    const INTEGERS exponent = _mm512_set1_epi16(0x4b00), none = _mm512_setzero_si512();
    INTEGERS bytes = is_whole ? _mm512_loadu_si512(residual) : _mm512_maskz_loadu_epi8(mask, residual);
    if (vectors < 4) bytes = _mm512_permutexvar_epi32(by->spread, bytes);
    INTEGERS words = _mm512_unpacklo_epi8(bytes, none);
    r[0] = _mm512_unpacklo_epi16(words, exponent);
    if (vectors > 1) r[1] = _mm512_unpackhi_epi16(words, exponent);
    if (vectors > 2) words = _mm512_unpackhi_epi8(bytes, none), r[2] = _mm512_unpacklo_epi16(words, exponent);
    if (vectors > 3) r[3] = _mm512_unpackhi_epi16(words, exponent);
#else
    const INTEGERS exponent = _mm256_set1_epi32(0x4b000000);
    uint8_t bytes[16] = {0};
    if (!is_whole) residual = memcpy(bytes, residual, panel->channels);
    __m128i transposed = _mm_shuffle_epi32(_mm_loadu_si128((const void *)residual), 0xd8);
    r[0] = _mm256_or_si256(_mm256_cvtepu8_epi32(transposed), exponent);
    r[1] = _mm256_or_si256(_mm256_cvtepu8_epi32(_mm_srli_si128(transposed, 8)), exponent);
#endif
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) {
#if LANES == 16
      FLOATS own = _mm512_roundscale_ps(_mm512_max_ps(v[j], by->least), _MM_FROUND_NO_EXC);
      FLOATS other = _mm512_sub_ps(_mm512_castsi512_ps(r[j]), by->other_zero);
#else
      FLOATS own = _mm256_round_ps(_mm256_max_ps(v[j], by->least), _MM_FROUND_NO_EXC);
      FLOATS other = _mm256_sub_ps(_mm256_castsi256_ps(r[j]), by->other_zero);
#endif
      own = V(mul_ps)(own, by->own_factor), other = V(mul_ps)(other, by->other_factor);
      v[j] = V(min_ps)(V(add_ps)(own, other), by->sum_greatest);
    }
  }
  INTEGERS q[VECTORS];
#pragma clang loop unroll(full)
  for (int j = 0; j < VECTORS; j++) q[j] = V(cvtps_epi32)(v[j < vectors ? j : 0]);
#if LANES == 16
  INTEGERS a = _mm512_add_epi16(_mm512_packs_epi32(q[0], q[1]), by->zero);
  INTEGERS b = vectors > 2 ? _mm512_add_epi16(_mm512_packs_epi32(q[2], q[3]), by->zero) : a;
  INTEGERS bytes = _mm512_max_epu8(_mm512_packus_epi16(a, b), by->low);
  if (vectors < 4) bytes = _mm512_permutexvar_epi32(by->gathered, bytes);
  if (is_whole) _mm512_storeu_si512(y, bytes);
  else _mm512_mask_storeu_epi8(y, mask, bytes);
#else
  INTEGERS a = _mm256_add_epi16(_mm256_packs_epi32(q[0], q[1]), by->zero);
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  bytes = _mm_max_epu8(bytes, _mm256_castsi256_si128(by->low));
  if (is_whole) _mm_storeu_si128((void *)y, bytes);
  else memcpy(y, &bytes, panel->channels);
#endif
}

// Writes what the sums of pixels, one after the other, give.
TARGET RK_INLINE void OWN(finish)(const rk_int8_convolution *p, const OWN(panel) *panel,
                                  const INTEGERS sum[][VECTORS], int64_t pixel, const int pixels, const int vectors) {
  int64_t stride = p->out_channels, index = pixel * stride + panel->channel;
  if (!p->y) {
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
      float floats[VECTORS * LANES];
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) {
        V(storeu_ps)(floats + j * LANES, V(mul_ps)(V(cvtepi32_ps)(sum[i][j]), panel->scales[j]));
      }
      for (int64_t c = 0; c < panel->channels; c++) {
        p->y_real[index + i * stride + c] = floats[rk_int8_lane(c, vectors, LANES)];
      }
    }
    return;
  }
  const OWN(rounding) by = panel->rounding;
  uint8_t *y = p->y + index;
  const uint8_t *residual = p->residual ? p->residual + index : 0;
  if (residual && panel->channels == LANES * VECTORS) {
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
      OWN(round_sums)(panel, &by, sum[i], y + i * stride, residual + i * stride, vectors, 1);
    }
  } else if (panel->channels == LANES * VECTORS) {
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) OWN(round_sums)(panel, &by, sum[i], y + i * stride, 0, vectors, 1);
  } else {
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
      OWN(round_sums)(panel, &by, sum[i], y + i * stride, residual ? residual + i * stride : 0, vectors, 0);
    }
  }
}
