// The activations that are fused into other kernels, for vectors and for numbers. NaN passes: where a comparison with it
// decides, it takes the last branch. Each line of a forward one is a single instruction.
#pragma once

// Macros, since a vector may not be passed between functions that are compiled for different processors.
#define RK_AT_LEAST(v, low) ((low) > (v) ? (low) : (v))
#define RK_AT_MOST(v, high) ((high) < (v) ? (high) : (v))
// `type` is that of v.
#define RK_ACTIVATE(type, v, activation, low, high)                                             \
  ((activation) == rk_activation_relu   ? RK_AT_LEAST(v, (type)0.0f)                            \
   : (activation) == rk_activation_clip ? RK_AT_MOST(RK_AT_LEAST(v, (type)(low)), (type)(high)) \
                                        : (v))
// The gradient before the activation, from the activation's own output y: 0, or NaN where y is, where nothing passes.
#define RK_MASKED(type, g, y, activation, low, high)                 \
  ((activation) == rk_activation_relu ? ((y) > (type)0.0f ? (g) : (y)) \
                                      : ((((y) > (type)(low)) & ((y) < (type)(high))) ? (g) : (y) - (y)))
