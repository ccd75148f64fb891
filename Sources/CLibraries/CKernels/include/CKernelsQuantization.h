// Fake quantization: float32 numbers rounded to the integers of a quantizer.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "CKernelsRandom.h"

#ifdef __cplusplus
extern "C" {
#endif

// real = scale * (stored - zero), lowest <= stored <= highest.
typedef struct { float scale; int32_t zero, lowest, highest; } rk_quantizer;
// y = what is left of x where it is stored, rounded to the nearest, of two as near to the even one; y may be x.
void rk_fake_quantize(const float *x, float *y, int64_t count, rk_quantizer by);

// A quantizer in training. Its range, which holds 0, moves by 1 - decay towards that of x; from step `delay` on, numbers
// are rounded to the levels 0 to `highest` spread over the moved range.
typedef struct {
  const float *x;
  float *y;
  int64_t count;
  float *low, *high;
  float decay;
  int32_t highest;
  int64_t delay;
  const rk_random_state *state;
  float *partial;   // scratch of the forward pass: rk_moving_quantizer_scratch floats
  // backward only
  const float *dy;
  float *dx;        // may be dy
} rk_moving_quantizer;

int64_t rk_moving_quantizer_scratch(void);
// Moves the range, then rounds; y may be x.
void rk_move_and_round(const rk_moving_quantizer *p);
// dx = dy where x lies between the outermost levels, those included, else 0; dy before step `delay`.
void rk_pass_within(const rk_moving_quantizer *p);

// y = Q(w f) / f with f = scale / sqrt(variance + epsilon) of each output channel, where Q rounds to levels that are
// spread over the numbers that it is given, of each channel or of all; w before step `delay`.
typedef struct {
  const float *w;
  float *y;                       // may be w
  int64_t channels, count;        // count: weights of a channel, which lie together
  const float *scale, *variance;  // of a batch norm behind; else NULL, and f = 1
  float epsilon;
  int32_t lowest, highest;
  int32_t is_symmetric, is_per_channel;
  int64_t delay;
  const rk_random_state *state;
  float *ranges;                  // scratch: 2 * channels
} rk_weight_rounding;

void rk_round_weights(const rk_weight_rounding *p);

#ifdef __cplusplus
}
#endif
