// The kernels that oneDNN does not have or does not fuse. All run on the OpenMP team of the calling thread, the one
// that oneDNN uses; results do not depend on the number of threads.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "CKernelsInt8.h"

#ifdef __cplusplus
extern "C" {
#endif

// Sets the team size of the calling thread, and flush-to-zero and denormals-are-zero on each thread of the team. Returns
// how many threads there are: at least 1, and fewer than asked for where the system or OpenMP's settings give no more.
int rk_prepare_team(int threads);
// The control words (MXCSR) of the team's threads; returns how many were written.
int rk_control_words(uint32_t *words, int capacity);
// Whether a thread of the team has met NaN, or infinities that make one, since they were last told to forget it. The
// processor notes it at no cost, in oneDNN's kernels too, though an activation hides the number; a step may also meet it
// where nothing comes of it.
void rk_forget_invalid(void);
int rk_saw_invalid(void);
// The channel block of oneDNN's blocked formats on this processor: 16 with AVX-512, else 8.
int rk_channel_block(void);

enum { rk_activation_none = 0, rk_activation_relu = 1, rk_activation_clip = 2 };

// Batch norm over x[n][channel / block][pixel][block], fused with a residual sum before and an activation after it.
// x, residual, y and their gradients are float32, or bfloat16 in blocks of 16; all else is float32 either way.
typedef struct {
  int64_t batch, channels, pixels;  // channels: rounded up to the block
  int32_t block;                    // 8 or 16
  int32_t is_bf16;
  int32_t has_residual;             // whether something is added before the activation
  int32_t activation;
  float low, high;                  // of a clip
  float epsilon, momentum;
  const void *x;
  const float *scale, *shift;
  const void *residual;             // of the forward pass; read where there is one
  void *y;
  float *mean, *rstd;               // of this batch, for the backward pass
  float *running_mean, *running_variance;
  float *partial;                   // scratch: rk_batch_norm_scratch floats
  // backward only
  const void *dy, *dy2;             // the gradient of y is dy + dy2; dy2 may be NULL
  void *dx;                         // may be dy
  void *dresidual;                  // or NULL; may be dy or dy2
  float *dscale, *dshift;
  // Where not 0, the running statistics stand in for the batch's and stay as they are; read when the kernel runs.
  const int32_t *is_frozen;
  // Where several processes share a batch: how many, and 2 * channels sums; else 0 and NULL. Not in use while frozen.
  int64_t processes;
  double *sums;
} rk_batch_norm;

int64_t rk_batch_norm_scratch(int64_t batch, int64_t channels);
void rk_batch_norm_forward(const rk_batch_norm *p);
void rk_batch_norm_backward(const rk_batch_norm *p);
// The same in two halves, while not frozen. Between them the 2 * channels numbers of `sums` are to be summed over the
// processes.
void rk_batch_norm_forward_sums(const rk_batch_norm *p);
void rk_batch_norm_forward_rest(const rk_batch_norm *p);
void rk_batch_norm_backward_sums(const rk_batch_norm *p);
void rk_batch_norm_backward_rest(const rk_batch_norm *p);

// y = the activation of x, rk_activation_relu or rk_activation_clip; NaN stays NaN. y may be x.
void rk_activate(const float *x, float *y, int64_t count, int activation, float low, float high);
// The gradient of x from that of y and from y; NaN where y is. dx may be dy.
void rk_activate_backward(const float *y, const float *dy, float *dx, int64_t count, int activation, float low, float high);
void rk_activate_bf16(const uint16_t *x, uint16_t *y, int64_t count, int activation, float low, float high);
void rk_activate_backward_bf16(const uint16_t *y, const uint16_t *dy, uint16_t *dx, int64_t count, int activation,
                               float low, float high);

// The largest number under each place of a window, of x[outer][height][width][inner]; NaN where there is one. x, y and
// their gradients are float32, or bfloat16 for the kernels that are named for it.
typedef struct {
  int64_t outer, height, width, inner, out_height, out_width;
  int32_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
  const void *x;
  void *y;
  uint16_t *places;  // of each output, which number of its window it is; NULL where no way back is wanted
  const void *dy;    // backward only
  void *dx;
} rk_max_pooling;

void rk_max_pool(const rk_max_pooling *p);
void rk_max_pool_backward(const rk_max_pooling *p);
void rk_max_pool_bf16(const rk_max_pooling *p);
void rk_max_pool_backward_bf16(const rk_max_pooling *p);

// The largest magnitude; NaN where there is one.
float rk_largest_magnitude(const float *x, int64_t count);
// Whether all numbers are finite.
int rk_all_finite(const float *x, int64_t count);

// y = a + b; y may be a or b.
void rk_add(const float *a, const float *b, float *y, int64_t count);
void rk_add_bf16(const uint16_t *a, const uint16_t *b, uint16_t *y, int64_t count);
void rk_copy(const float *x, float *y, int64_t count);

// real = scale * (stored - zero), lowest <= stored <= highest.
typedef struct { float scale; int32_t zero, lowest, highest; } rk_quantizer;
// y = what is left of x where it is stored, rounded to the nearest, of two as near to the even one; y may be x.
void rk_fake_quantize(const float *x, float *y, int64_t count, rk_quantizer by);

// What dropout draws from: changes each step, read when the kernel runs.
// `row` is the place of the first row in its batch.
typedef struct { uint64_t seed; uint32_t step, row; } rk_random_state;

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

// y = x * mask / (1 - rate), so NaN where x is; the mask follows from state, lane, row and place. Rows of `count` floats.
void rk_dropout(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                uint32_t purpose_and_lane);
// The same with one draw for a whole row.
void rk_drop_path(const float *x, float *y, int64_t rows, int64_t count, float rate, const rk_random_state *state,
                  uint32_t purpose_and_lane);

// losses[r] = -sum_k targets[r][k] log softmax(logits[r])[k]; gradient = (softmax * sum(targets) - targets) * scale.
// gradient may be NULL.
void rk_soft_cross_entropy(const float *logits, const float *targets, float *gradient, double *losses, int64_t rows,
                           int64_t classes, float scale);

// One axis of a separable filter: output i is the sum over j < stride of weights[i * stride + j] * input[starts[i] + j],
// weights in units of 2^-22. Every input named must exist, also where its weight is 0.
typedef struct { const int32_t *starts; const int32_t *weights; int64_t outputs, stride; } rk_taps;

// Images of four bytes per pixel, filtered along x and along y, each rounded to bytes. On the calling thread alone.
void rk_resample_rows(const uint8_t *source, int64_t width, int64_t height, const rk_taps *columns, uint8_t *target);
void rk_resample_columns(const uint8_t *source, int64_t width, const rk_taps *rows, uint8_t *target);
// Red, green and blue of each pixel to planes of their own; and to one plane of grey, as ITU-R BT.601 weighs them.
void rk_split_pixels(const uint8_t *pixels, int64_t count, uint8_t *planes);
void rk_weigh_pixels(const uint8_t *pixels, int64_t count, uint8_t *grey);

// losses[r] = -mean_k (t log sigmoid(z) + (1 - t) log (1 - sigmoid(z))); gradient = (sigmoid(z) - t) * scale / classes.
// Where threshold is a number, t is 1 for targets above it and 0 for others.
void rk_binary_cross_entropy(const float *logits, const float *targets, float threshold, float *gradient,
                             double *losses, int64_t rows, int64_t classes, float scale);
// y = share * softmax(logits / temperature), added to y where adds is not 0.
void rk_softmax(const float *logits, float *y, int64_t rows, int64_t classes, float temperature, float share, int adds);
// With q = softmax(logits / temperature) and weight c: losses[r] = (1 - c) * losses[r] + c * factor * KL(p[r] || q[r]),
// gradient = (1 - c) * gradient + c * factor * (q - p) / temperature * scale. The rows of p sum to 1.
void rk_distill(const float *logits, const float *p, float *gradient, double *losses, int64_t rows, int64_t classes,
                float temperature, float weight, float factor, float scale);
// Changes of images as Pillow makes them, to the byte; planes of bytes, source and target apart.
// target(x, y) = source(m0 (x + 1/2) + m1 (y + 1/2) + m2, m3 (x + 1/2) + m4 (y + 1/2) + m5), bilinear or bicubic; `fill`
// has a byte for each channel, for what lies outside.
void rk_affine(const uint8_t *source, int64_t channels, int64_t height, int64_t width, const double matrix[6],
               const uint8_t *fill, int is_cubic, uint8_t *target);
// y = a + share * (b - a), cut to bytes.
void rk_blend(const uint8_t *a, const uint8_t *b, float share, int64_t count, uint8_t *y);
// One plane through the 3 x 3 filter of ones around a five; its edge stays.
void rk_smooth(const uint8_t *x, int64_t height, int64_t width, uint8_t *y);
// Planes of red, green and blue by way of hue (0 to 255, to which `turn` is added), saturation and value.
void rk_turn_hue(const uint8_t *planes, int64_t count, uint8_t turn, uint8_t *target);
// One plane of grey from three of red, green and blue, as rk_weigh_pixels weighs them.
void rk_weigh_planes(const uint8_t *planes, int64_t count, uint8_t *grey);

// A stretch of the parameter arena with one weight decay.
typedef struct { int64_t offset, count; float decay; } rk_segment;

// v = momentum * v + (g + decay * w); w -= rate * (nesterov ? g + decay * w + momentum * v : v). PyTorch's SGD.
void rk_sgd(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, float rate,
            float momentum, int nesterov, int first);
// Adam (decoupled = 0: decay joins the gradient) and AdamW (decoupled = 1). correction1 = 1 - beta1^t and so on.
void rk_adam(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             double rate, double beta1, double beta2, float epsilon, double correction1, double correction2,
             int decoupled);
// RMSprop; v is the mean square, b the momentum (NULL without). tensorflow = 1: epsilon below the root, the rate within
// the momentum.
void rk_rms_prop(float *w, const float *g, float *v, float *b, const rk_segment *segments, int64_t segment_count,
                 float rate, double decay, float momentum, float epsilon, int tensorflow);

// Sums over segments are made of the sums of blocks of fixed size, so they do not depend on the number of threads.
int64_t rk_block_count(const rk_segment *segments, int64_t segment_count);
// The sum of squares of x over all segments. partial: rk_block_count numbers.
double rk_squares(const float *x, const rk_segment *segments, int64_t segment_count, double *partial);
// LAMB: g is divided by `divisor`; where decay is not 0, each segment's step is scaled by the norm of its weights over
// that of its step. partial: 2 * rk_block_count numbers; ratios: segment_count.
void rk_lamb(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             double *partial, double *ratios, float divisor, float rate, double beta1, double beta2, float epsilon,
             double correction1, double correction2);
// LARS: rk_sgd, with g + decay * w scaled by trust * |w| / (|g| + decay * |w| + epsilon) where decay is not 0.
void rk_lars(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, double *partial,
             double *ratios, float rate, float momentum, int nesterov, int first, double trust, double epsilon);

// x *= factor; x = min(max(x, -limit), limit).
void rk_scale(float *x, int64_t count, float factor);
void rk_clamp(float *x, int64_t count, float limit);
// y = keep * y + (1 - keep) * x; x itself where keep is 0, whatever y was.
void rk_average(float *y, const float *x, int64_t count, double keep);
// y = row r of x mixed with row rows - 1 - r: weight * x + (1 - weight) * other.
void rk_mix_rows(const float *x, float *y, int64_t rows, int64_t count, float weight);
// y = x, and within the box of each plane of height x width, the other row's.
void rk_paste_rows(const float *x, float *y, int64_t rows, int64_t planes, int64_t height, int64_t width, int64_t top,
                   int64_t bottom, int64_t left, int64_t right);
// y = factors[c] * x + terms[c] for each plane of rows x channels x pixels.
void rk_rescale_planes(const float *x, float *y, int64_t rows, int64_t channels, int64_t pixels, const float *factors,
                       const float *terms);

// Self-attention: y = softmax((q + q_bias) k^T / sqrt(features) + B) (v + v_bias) for each sample and head, with
// qkv[batch][tokens][3][heads][features] and y[batch][tokens][heads][features]. B follows from the table, which has
// (2 grid_height - 1) (2 grid_width - 1) + 3 rows of `heads`; see Networks/Operations/Attention.swift.
typedef struct {
  int64_t batch, tokens, heads, features;  // features of one head
  int64_t grid_height, grid_width;         // tokens = 1 + height * width
  const float *qkv, *q_bias, *v_bias, *table;
  float *y;
  float *scratch;                          // rk_attention_scratch floats for each thread, aligned to 64 bytes
  // backward only
  const float *dy;
  float *dqkv, *dq_bias, *dv_bias, *dtable;
} rk_attention;

// A multiple of 16.
int64_t rk_attention_scratch(const rk_attention *p, int backward);
void rk_attention_forward(const rk_attention *p);
void rk_attention_backward(const rk_attention *p);

// y = x * w for each row; y may be x.
void rk_layer_scale(const float *x, const float *w, float *y, int64_t rows, int64_t features);
// dx = dy * w for each row, dw = the sum over rows of dy * x; dx may be dy or x.
void rk_layer_scale_backward(const float *x, const float *dy, const float *w, float *dx, float *dw, int64_t rows,
                             int64_t features);
// The first token of each sample; the others of y are left as they are.
void rk_class_token(const float *token, float *y, int64_t batch, int64_t token_count, int64_t features);
void rk_class_token_backward(const float *dy, float *dtoken, int64_t batch, int64_t token_count, int64_t features);
// The mean over the tokens of each sample but the first.
void rk_token_mean(const float *x, float *y, int64_t batch, int64_t token_count, int64_t features);
void rk_token_mean_backward(const float *dy, float *dx, int64_t batch, int64_t token_count, int64_t features);

#ifdef __cplusplus
}
#endif
