// Attention and what else works on tokens.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
