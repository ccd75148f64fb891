// What is dropped at random.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What dropout draws from: changes each step, read when the kernel runs.
// `row` is the place of the first row in its batch.
typedef struct { uint64_t seed; uint32_t step, row; } rk_random_state;

// y = x * mask / (1 - rate), so NaN where x is; the mask follows from state, lane, row and place. Rows of `count` floats.
void rk_dropout(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                uint32_t purpose_and_lane);
// The same with one draw for a whole row.
void rk_drop_path(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                  uint32_t purpose_and_lane);

#ifdef __cplusplus
}
#endif
