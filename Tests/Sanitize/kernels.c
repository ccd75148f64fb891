// Drives every kernel of CKernels over shapes that fill vectors and blocks and that do not, with each array in memory of
// exactly its size: for AddressSanitizer and UndefinedBehaviorSanitizer. Built and run by Tests/Sanitize/run. What the
// kernels compute is for the Swift tests; here are only laws on numbers that are not finite.
#include "CKernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) ((int64_t)(sizeof(list) / sizeof *(list)))

static int failures;
static void require(int holds, const char *law) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", law);
  failures++;
}

// Memory that the next call of `release` gives back.
static void *taken[256];
static int taken_count;
static void *take(int64_t bytes) {
  void *memory = 0;
  if (posix_memalign(&memory, 64, bytes > 0 ? (size_t)bytes : 1) || taken_count == 256) abort();
  memset(memory, 0, bytes > 0 ? (size_t)bytes : 1);
  return taken[taken_count++] = memory;
}
static void release(void) {
  while (taken_count > 0) free(taken[--taken_count]);
}

static uint64_t state = 1;
static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}
static float *zeros(int64_t count) { return take(count * 4); }
static float *floats(int64_t count) {
  float *x = zeros(count);
  for (int64_t i = 0; i < count; i++) x[i] = (float)draw() * 0x1p-30f - 1;
  return x;
}
// Numbers of bfloat16 are the upper halves of floats.
static uint16_t *halves(int64_t count) {
  uint16_t *x = take(count * 2);
  for (int64_t i = 0; i < count; i++) {
    float number = (float)draw() * 0x1p-30f - 1;
    memcpy(x + i, (char *)&number + 2, 2);
  }
  return x;
}
static int computes_bf16(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return 0;
#endif
}
static double *doubles(int64_t count) { return take(count * 8); }
static uint8_t *bytes(int64_t count) {
  uint8_t *x = take(count);
  for (int64_t i = 0; i < count; i++) x[i] = (uint8_t)draw();
  return x;
}
static int8_t *levels(int64_t count) {
  int8_t *x = take(count);
  for (int64_t i = 0; i < count; i++) x[i] = (int8_t)((int)(draw() % 255) - 127);
  return x;
}

static const int64_t counts[] = {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 65, 127, 1000, 4095, 4096, 4097, 70001};

static void elementwise(void) {
  for (int c = 0; c < COUNT(counts); c++) {
    int64_t n = counts[c];
    float *x = floats(n), *y = floats(n), *z = zeros(n);
    rk_add(x, y, z, n);
    rk_copy(x, z, n);
    rk_scale(z, n, 0.5f);
    rk_clamp(z, n, 0.1f);
    rk_average(z, x, n, 0.9);
    rk_activate(x, z, n, rk_activation_relu, 0, 0);
    rk_activate_backward(z, y, y, n, rk_activation_relu, 0, 0);
    rk_activate(x, z, n, rk_activation_clip, -0.5f, 0.5f);
    rk_activate_backward(z, y, y, n, rk_activation_clip, -0.5f, 0.5f);
    if (computes_bf16()) {
      uint16_t *a = halves(n), *b = halves(n), *c = take(n * 2);
      rk_add_bf16(a, b, c, n);
      rk_add_bf16(a, c, c, n);
      rk_activate_bf16(a, c, n, rk_activation_relu, 0, 0);
      rk_activate_backward_bf16(c, b, b, n, rk_activation_relu, 0, 0);
      rk_activate_bf16(a, c, n, rk_activation_clip, -0.5f, 0.5f);
      rk_activate_backward_bf16(c, b, b, n, rk_activation_clip, -0.5f, 0.5f);
      for (int64_t i = 0; i < n; i += n > 100 ? n / 7 : 1) {
        a[i] = 0x7fc0;
        rk_activate_bf16(a, c, n, rk_activation_relu, 0, 0);
        require((c[i] & 0x7fff) > 0x7f80, "relu keeps NaN of 16 bits");
        rk_add_bf16(a, b, c, n);
        require((c[i] & 0x7fff) > 0x7f80, "a sum keeps NaN of 16 bits");
      }
    }
    require(rk_all_finite(x, n), "finite numbers are finite");
    for (int64_t i = 0; i < n; i += n > 100 ? n / 7 : 1) {
      float before = x[i];
      x[i] = i % 2 ? NAN : -INFINITY;
      require(!rk_all_finite(x, n), "NaN and infinity are found at every place");
      x[i] = NAN;
      rk_activate(x, z, n, rk_activation_relu, 0, 0);
      require(isnan(z[i]), "relu keeps NaN");
      rk_activate_backward(z, y, y, n, rk_activation_relu, 0, 0);
      require(isnan(y[i]), "relu keeps NaN on the way back");
      rk_activate(x, z, n, rk_activation_clip, 0, 6);
      require(isnan(z[i]), "clip keeps NaN");
      rk_clamp(z, n, 1);
      require(isnan(z[i]), "clamp keeps NaN");
      y[i] = 1;
      z[i] = NAN;
      rk_average(z, y, n, 0);
      require(z[i] == 1, "an average that keeps nothing is a copy");
      x[i] = before;
    }
    release();
  }
  for (int64_t rows = 1; rows <= 5; rows += 2)
    for (int64_t count = 1; count < 40; count += 6) {
      float *x = floats(rows * count), *y = zeros(rows * count);
      rk_random_state random = {7, 3, 1};
      rk_mix_rows(x, y, rows, count, 0.3f);
      rk_dropout(x, y, rows, count, 0.5f, &random, 5);
      rk_drop_path(x, y, rows, count, 0.5f, &random, 5);
      for (int64_t i = 0; i < rows * count; i++) x[i] = NAN;
      rk_dropout(x, y, rows, count, 0.5f, &random, 5);
      for (int64_t i = 0; i < rows * count; i++) require(isnan(y[i]), "dropout keeps NaN");
      float *planes = floats(rows * 3 * 5 * 7), *target = zeros(rows * 3 * 5 * 7), *factors = floats(3);
      rk_paste_rows(planes, target, rows, 3, 5, 7, (rk_box){1, 5, 0, 7});
      rk_paste_rows(planes, target, rows, 3, 5, 7, (rk_box){2, 2, 3, 3});
      rk_rescale_planes(planes, target, rows, 3, 35, factors, factors);
      release();
    }
}

// Activations of the batch norms and poolings below.
static void *activations(int64_t count, int is_bf16) { return is_bf16 ? (void *)halves(count) : floats(count); }

static void batch_norm_of(int32_t block, int is_bf16) {
  static const int64_t batches[] = {1, 2, 5}, sizes[] = {1, 2, 3, 49};
  for (int b = 0; b < COUNT(batches); b++)
    for (int s = 0; s < COUNT(sizes); s++)
      for (int variant = 0; variant < 12; variant++) {
        int64_t channels = 3 * block, count = batches[b] * channels * sizes[s];
        int32_t frozen = variant == 11;
        rk_batch_norm p = {
          .batch = batches[b], .channels = channels, .pixels = sizes[s], .block = block, .is_bf16 = is_bf16,
          .has_residual = variant & 1, .activation = variant % 3,
          .low = 0, .high = 6, .epsilon = 1e-5f, .momentum = 0.1f, .x = activations(count, is_bf16), .scale = floats(channels),
          .shift = floats(channels), .residual = variant & 1 ? activations(count, is_bf16) : 0,
          .y = activations(count, is_bf16),
          .mean = zeros(channels), .rstd = zeros(channels), .running_mean = floats(channels),
          .running_variance = zeros(channels), .partial = zeros(rk_batch_norm_scratch(batches[b], channels)),
          .is_frozen = &frozen};
        rk_batch_norm_forward(&p);
        p.dy = activations(count, is_bf16);
        p.dy2 = variant & 2 ? activations(count, is_bf16) : 0;
        p.dx = activations(count, is_bf16);
        p.dresidual = variant & 1 ? activations(count, is_bf16) : 0;
        p.dscale = zeros(channels);
        p.dshift = zeros(channels);
        rk_batch_norm_backward(&p);
        p.processes = 2;
        p.sums = doubles(2 * channels);
        if (!frozen) {
          rk_batch_norm_forward_sums(&p);
          rk_batch_norm_forward_rest(&p);
          rk_batch_norm_backward_sums(&p);
          rk_batch_norm_backward_rest(&p);
        }
        release();
      }
}

static void batch_norm(void) {
  batch_norm_of(8, 0);
  batch_norm_of(16, 0);
  if (computes_bf16()) batch_norm_of(16, 1);
}

static void pooling(void) {
  static const int32_t kernels[][4] = {{2, 2, 0, 7}, {3, 2, 1, 9}, {3, 1, 2, 5}, {5, 3, 4, 5}, {1, 1, 0, 1}, {3, 2, 1, 1}};
  static const int64_t inners[] = {1, 3, 8, 16, 17, 24, 31, 47};
  for (int k = 0; k < COUNT(kernels); k++)
    for (int c = 0; c < COUNT(inners); c++) {
      int32_t kernel = kernels[k][0], stride = kernels[k][1], pad = kernels[k][2];
      int64_t height = kernels[k][3], width = height + 2, inner = inners[c], outer = 3;
      rk_max_pooling p = {
        .outer = outer, .height = height, .width = width, .inner = inner, .kernel_height = kernel,
        .kernel_width = kernel, .stride_height = stride, .stride_width = stride, .pad_top = pad, .pad_left = pad,
        .out_height = (height + 2 * pad - kernel) / stride + 1, .out_width = (width + 2 * pad - kernel) / stride + 1};
      int64_t in = outer * height * width * inner, out = outer * p.out_height * p.out_width * inner;
      float *x = floats(in), *dy = floats(out);
      (p.x = x, p.y = zeros(out));
      rk_max_pool(&p);
      p.places = take(out * 2);
      rk_max_pool(&p);
      (p.dy = dy, p.dx = zeros(in));
      rk_max_pool_backward(&p);
      if (computes_bf16()) {
        rk_max_pooling q = p;
        (q.x = halves(in), q.y = take(out * 2), q.dy = halves(out), q.dx = take(in * 2), q.places = 0);
        rk_max_pool_bf16(&q);
        q.places = take(out * 2);
        rk_max_pool_bf16(&q);
        rk_max_pool_backward_bf16(&q);
      }
      double given = 0, found = 0;
      for (int64_t i = 0; i < out; i++) given += dy[i];
      for (int64_t i = 0; i < in; i++) found += ((float *)p.dx)[i];
      require(fabs(given - found) < 1e-3, "a pool's gradient goes somewhere whole");
      for (int64_t i = 0; i < in; i++) x[i] = NAN;
      rk_max_pool(&p);
      for (int64_t i = 0; i < out; i++) require(isnan(((float *)p.y)[i]), "the largest of NaN is NaN");

      rk_int8_pooling q = {
        .batch = outer, .height = height, .width = width, .channels = inner, .out_height = p.out_height,
        .out_width = p.out_width, .kernel_height = kernel, .kernel_width = kernel, .stride_height = stride,
        .stride_width = stride, .pad_top = pad, .pad_left = pad, .x = bytes(in), .y = bytes(out)};
      rk_int8_max_pool(&q);
      release();
    }
}

static void quantization(void) {
  rk_random_state random = {7, 3, 0};
  for (int c = 1; c < COUNT(counts); c++) {
    int64_t n = counts[c];
    float *x = floats(n), *y = zeros(n), low = -0.4f, high = 0.7f;
    rk_fake_quantize(x, y, n, (rk_quantizer){0.01f, 128, 0, 255});
    rk_moving_quantizer p = {
      .x = x, .y = y, .count = n, .low = &low, .high = &high, .decay = 0.9f, .highest = 255, .state = &random,
      .partial = zeros(rk_moving_quantizer_scratch()), .dy = floats(n), .dx = zeros(n)};
    rk_move_and_round(&p);
    rk_pass_within(&p);
    float before = high;
    x[n / 2] = NAN;
    rk_move_and_round(&p);
    require(isnan(y[n / 2]) && isfinite(high) && high <= fmaxf(before, 1), "NaN goes through and moves no range");
    x[n / 2] = INFINITY;
    rk_move_and_round(&p);
    for (int64_t i = 0; i < n; i++) require(isnan(y[i]), "without a finite range there is no number");
    rk_pass_within(&p);
    (low = NAN, high = 1);
    rk_move_and_round(&p);
    for (int64_t i = 0; i < n; i++) require(isnan(y[i]), "without a range there is no number");
    rk_pass_within(&p);
    release();
  }
  for (int variant = 0; variant < 16; variant++)
    for (int64_t count = 1; count < 80; count += 13) {
      int64_t channels = 5;
      rk_weight_rounding p = {
        .w = floats(channels * count), .y = zeros(channels * count), .channels = channels, .count = count,
        .scale = variant & 1 ? floats(channels) : 0, .variance = floats(channels), .epsilon = 2, .lowest = -127,
        .highest = 127, .is_symmetric = variant >> 1 & 1, .is_per_channel = variant >> 2 & 1, .delay = variant & 8,
        .state = &random, .ranges = zeros(2 * channels)};
      if (variant & 1) ((float *)p.scale)[2] = 0;
      rk_round_weights(&p);
      ((float *)p.w)[count] = NAN;
      rk_round_weights(&p);
      require(isnan(p.y[count]), "a weight that is NaN stays so");
      release();
    }
}

static void losses(void) {
  for (int64_t rows = 1; rows <= 7; rows += 3)
    for (int64_t classes = 1; classes < 40; classes += 6) {
      int64_t n = rows * classes;
      float *z = floats(n), *t = floats(n), *g = zeros(n), *q = zeros(n);
      double *loss = doubles(rows);
      for (int64_t i = 0; i < n; i++) t[i] = 1.0f / (float)classes;
      rk_soft_cross_entropy(z, t, g, loss, rows, classes, 1);
      rk_soft_cross_entropy(z, t, 0, loss, rows, classes, 1);
      rk_binary_cross_entropy(z, t, 0.2f, g, loss, rows, classes, 1);
      rk_binary_cross_entropy(z, t, NAN, g, loss, rows, classes, 1);
      rk_softmax(z, q, rows, classes, 2, 0.5f, 0);
      rk_softmax(z, q, rows, classes, 2, 0.5f, 1);
      rk_distill(z, q, g, loss, rows, classes, (rk_distillation){2, 0.8f, 4}, 1);
      for (int64_t i = 0; i < n; i++) {
        float before = z[i];
        z[i] = NAN;
        rk_soft_cross_entropy(z, t, g, loss, rows, classes, 1);
        require(isnan(loss[i / classes]) && isnan(g[i]), "cross-entropy of NaN is NaN");
        rk_binary_cross_entropy(z, t, NAN, g, loss, rows, classes, 1);
        require(isnan(loss[i / classes]) && isnan(g[i]), "binary cross-entropy of NaN is NaN");
        rk_softmax(z, q, rows, classes, 2, 1, 0);
        require(isnan(q[i]), "softmax of NaN is NaN");
        z[i] = before;
      }
      release();
    }
}

static void optimizers(void) {
  for (int c = 1; c < COUNT(counts); c++) {
    int64_t n = counts[c], total = 3 * n + 5;
    rk_segment list[] = {{0, n, 1e-4f}, {n, 2 * n, 0}, {3 * n, 5, 0.1f}};
    float *w = floats(total), *g = floats(total), *m = zeros(total), *v = zeros(total);
    int64_t blocks = rk_block_count(list, 3);
    double *partial = doubles(2 * blocks), *ratios = doubles(3);
    rk_parameters p = {w, g, v, 0, list, 3, partial, ratios};
    for (int start = 1; start >= 0; start--) {
      rk_sgd(&p, 0.1f, 0, 0, start);
      rk_sgd(&p, 0.1f, 0.9f, 0, start);
      rk_sgd(&p, 0.1f, 0.9f, 1, start);
      rk_lars(&p, 0.1f, 0.9f, start, start, 0.001, 1e-8);
    }
    rk_lars(&p, 0.1f, 0, 0, 1, 0.001, 1e-8);
    memset(v, 0, (size_t)total * 4);
    rk_moments moments = {0.9, 0.999, 0.1, 0.001, 1e-8f};
    p.first = m, p.second = v;
    rk_adam(&p, 1e-3, moments, 0);
    rk_adam(&p, 1e-3, moments, 1);
    p.first = v, p.second = 0;
    rk_rms_prop(&p, 1e-3f, 0.9, 0, 1e-8f, 0);
    p.second = m;
    rk_rms_prop(&p, 1e-3f, 0.9, 0.9f, 1e-8f, 1);
    p.first = m, p.second = v;
    rk_lamb(&p, 1e-3f, moments, 1);
    require(isfinite(rk_squares(g, list, 3, partial)), "squares of numbers have a sum");
    g[total - 1] = NAN;
    require(isnan(rk_squares(g, list, 3, partial)), "squares of NaN have none");
    release();
  }
}

static void tokens(void) {
  static const int64_t shapes[][4] = {{1, 2, 1, 42}, {2, 4, 3, 15}, {5, 3, 2, 16}, {1, 1, 5, 7}, {2, 8, 6, 64}};
  for (int s = 0; s < COUNT(shapes); s++) {
    int64_t batch = shapes[s][0], heads = shapes[s][1], height = shapes[s][2], features = shapes[s][3], width = 2;
    int64_t count = 1 + height * width, all = heads * features, rows = (2 * height - 1) * (2 * width - 1) + 3;
    rk_attention p = {
      .batch = batch, .tokens = count, .heads = heads, .features = features, .grid_height = height, .grid_width = width,
      .qkv = floats(batch * count * 3 * all), .q_bias = floats(all), .v_bias = floats(all),
      .table = floats(rows * heads), .y = zeros(batch * count * all), .dy = floats(batch * count * all),
      .dqkv = zeros(batch * count * 3 * all), .dq_bias = zeros(all), .dv_bias = zeros(all),
      .dtable = zeros(rows * heads)};
    p.scratch = zeros(3 * rk_attention_scratch(&p, 0));
    rk_attention_forward(&p);
    p.scratch = zeros(3 * rk_attention_scratch(&p, 1));
    rk_attention_backward(&p);
    ((float *)p.qkv)[0] = NAN;
    p.scratch = zeros(3 * rk_attention_scratch(&p, 0));
    rk_attention_forward(&p);
    require(isnan(p.y[0]), "attention keeps NaN");

    float *x = floats(batch * count * all), *y = zeros(batch * count * all), *w = floats(all), *dw = zeros(all);
    rk_layer_scale(x, w, y, batch * count, all);
    rk_layer_scale_backward(x, y, w, y, dw, batch * count, all);
    rk_class_token(w, y, batch, count, all);
    rk_class_token_backward(y, dw, batch, count, all);
    float *mean = zeros(batch * all);
    rk_token_mean(x, mean, batch, count, all);
    rk_token_mean_backward(mean, y, batch, count, all);
    release();
  }
}

static void images(void) {
  static const int64_t sizes[][2] = {{1, 1}, {2, 3}, {5, 4}, {17, 33}, {64, 31}};
  for (int s = 0; s < COUNT(sizes); s++) {
    int64_t height = sizes[s][0], width = sizes[s][1], area = height * width;
    uint8_t *x = bytes(3 * area), *y = bytes(3 * area), *z = bytes(3 * area), fill[3] = {1, 2, 3};
    double turned[6] = {0.8, -0.6, 0.3, 0.6, 0.8, -0.2}, far[6] = {1, 0, 1e9, 0, 1, -1e9};
    for (int cubic = 0; cubic < 2; cubic++) {
      rk_affine(x, 3, height, width, turned, fill, cubic, y);
      rk_affine(x, 3, height, width, far, fill, cubic, y);
      rk_affine(x, 1, height, width, turned, fill, cubic, y);
    }
    rk_blend(x, y, 1.7f, 3 * area, z);
    rk_blend(x, y, -0.4f, 3 * area, z);
    rk_smooth(x, height, width, y);
    rk_turn_hue(x, area, 77, y);
    rk_weigh_planes(x, area, y);
    uint8_t *pixels = bytes(4 * area);
    rk_split_pixels(pixels, area, y);
    rk_weigh_pixels(pixels, area, y);

    // Each output the mean of what is there of two neighbours.
    int64_t outputs = width;
    int32_t *starts = take(outputs * 4), *weights = take(outputs * 8);
    for (int64_t i = 0; i < outputs; i++) {
      starts[i] = (int32_t)(i + 1 < width ? i : width > 1 ? width - 2 : 0);
      weights[2 * i] = width > 1 ? 1 << 21 : 1 << 22;
      weights[2 * i + 1] = width > 1 ? 1 << 21 : 0;
    }
    rk_taps across = {starts, weights, outputs, width > 1 ? 2 : 1};
    if (width == 1) weights[0] = 1 << 22;
    rk_resample_rows(pixels, width, height, &across, bytes(4 * area));
    if (height >= width) rk_resample_columns(pixels, width, &across, bytes(4 * width * outputs));
    release();
  }
}

static void integers(void) {
  // kernel, stride, padding, dilation, side, channels, outputs, groups
  static const int32_t shapes[][8] = {
    {1, 1, 0, 1, 1, 1, 1, 1},     {1, 1, 0, 1, 1, 33, 7, 1},    {1, 1, 0, 1, 7, 16, 64, 1},  {1, 2, 0, 1, 7, 24, 17, 1},
    {3, 1, 1, 1, 5, 3, 16, 1},    {3, 1, 1, 1, 14, 64, 64, 1},  {3, 1, 1, 1, 13, 32, 48, 1}, {3, 2, 1, 1, 9, 17, 24, 1},
    {3, 1, 2, 2, 9, 16, 16, 1},   {7, 2, 3, 1, 33, 3, 64, 1},   {5, 1, 2, 1, 6, 8, 8, 1},    {3, 1, 1, 1, 8, 32, 32, 32},
    {3, 2, 1, 1, 9, 64, 64, 64},  {3, 1, 1, 1, 7, 17, 17, 17},  {3, 1, 1, 1, 7, 24, 24, 24}, {3, 1, 1, 1, 7, 64, 32, 4},
    {3, 1, 1, 1, 5, 9, 15, 3},    {3, 1, 1, 1, 6, 8, 16, 8},    {3, 1, 1, 1, 28, 16, 16, 1}, {3, 1, 1, 1, 4, 128, 128, 1},
    {2, 2, 0, 1, 7, 5, 9, 1},     {4, 4, 0, 1, 4, 40, 10, 1},   {1, 1, 0, 1, 3, 512, 33, 1}, {3, 1, 1, 1, 1, 16, 16, 1},
  };
  for (int s = 0; s < COUNT(shapes); s++)
    for (int64_t batch = 1; batch <= 3; batch += 2)
      for (int form = 0; form < 4; form++) {
        const int32_t *q = shapes[s];
        int32_t kernel = q[0], stride = q[1], pad = q[2], dilation = q[3], groups = q[7];
        int64_t side = q[4], channels = q[5], outputs = q[6];
        int64_t out = (side + 2 * pad - (dilation * (kernel - 1) + 1)) / stride + 1;
        rk_int8_convolution p = {
          .batch = batch, .height = side, .width = side, .channels = channels, .out_height = out, .out_width = out,
          .out_channels = outputs, .kernel_height = kernel, .kernel_width = kernel, .stride_height = stride,
          .stride_width = stride, .dilation_height = dilation, .dilation_width = dilation, .pad_top = pad,
          .pad_left = pad, .groups = groups, .zero = 3, .y_zero = 7, .low = 0, .high = 255, .q_factor = 0.7f,
          .r_factor = 0.3f, .r_zero = 5, .sum_zero = 9, .sum_low = 0, .sum_high = 255};
        int64_t weight_count = outputs * (channels / groups) * kernel * kernel, answers = batch * out * out * outputs;
        int8_t *w = levels(weight_count);
        // Weights of a few bits, and none at all, may be packed otherwise.
        for (int64_t i = 0; i < weight_count; i++) w[i] = form == 1 ? (int8_t)(w[i] / 64) : form == 2 ? (int8_t)(w[i] / 2) : w[i];
        int32_t *bias = take(outputs * 4);
        float *scales = floats(outputs);
        for (int64_t i = 0; i < outputs; i++) (bias[i] = (int32_t)i * 100, scales[i] = 1e-3f);
        p.x = bytes(batch * side * side * channels);
        p.bias = bias;
        p.scales = scales;
        if (form == 3) {
          p.y_real = zeros(answers);
        } else {
          p.y = bytes(answers);
          if (form == 1) p.residual = bytes(answers);
          if (form == 2) p.residual = p.y;
        }
        for (p.kernel = 0; p.kernel < rk_int8_kernels(); p.kernel++) {
          require(rk_int8_name(p.kernel)[0] != 0, "a kernel has a name");
          if (!rk_int8_accepts(p.kernel, &p)) continue;
          void *packed = take(rk_int8_packed_bytes(&p, w));
          rk_int8_pack(&p, w, packed);
          p.weights = packed;
          p.scratch = take(rk_int8_scratch(&p, 3));
          rk_int8_convolve(&p);
        }
        require(rk_int8_accepts(rk_int8_choose(&p), &p), "what is chosen is accepted");
        release();
      }
  for (int c = 1; c < COUNT(counts); c++) {
    int64_t n = counts[c] < 5000 ? counts[c] : 5000;
    float *x = floats(3 * n);
    uint8_t *a = bytes(3 * n), *b = bytes(3 * n), *y = bytes(3 * n);
    rk_int8_quantize_planar(x, y, 1, 3, n, 0.01f, (rk_int8_output){128, 0, 255});
    rk_int8_quantize_planar(x, y, 1, n, 3, 0.01f, (rk_int8_output){128, 0, 255});
    (x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY);
    rk_int8_quantize_planar(x, y, 1, 3, n, 0.01f, (rk_int8_output){128, 0, 255});
    rk_int8_dequantize_planar(y, x, 1, 3, n, 0.01f, 128);
    rk_int8_dequantize_planar(y, x, 1, n, 3, 0.01f, 128);
    rk_int8_average(a, y, 1, 3, n, (rk_int8_input){5, 0.3f}, (rk_int8_output){7, 0, 255});
    rk_int8_average(a, y, 1, n, 3, (rk_int8_input){5, 0.3f}, (rk_int8_output){7, 0, 255});
    rk_int8_rescale(a, bytes(n * 5), n, 3, 5, (rk_int8_input){1, 0.9f}, (rk_int8_output){2, 0, 255});
    rk_int8_add(a, b, y, 3 * n, (rk_int8_input){3, 0.7f}, (rk_int8_input){4, 0.2f}, (rk_int8_output){5, 0, 255});
    rk_int8_add(a, b, a, 3 * n, (rk_int8_input){3, 0.7f}, (rk_int8_input){4, 0.2f}, (rk_int8_output){5, 0, 255});
    release();
  }
}

int main(void) {
  int threads = rk_prepare_team(3);
  uint32_t words[3];
  require(threads >= 1 && rk_control_words(words, 3) == threads, "each thread of the team has a control word");
  require(rk_channel_block() == 8 || rk_channel_block() == 16, "blocks are of 8 or 16 channels");
  elementwise();
  batch_norm();
  pooling();
  quantization();
  losses();
  optimizers();
  tokens();
  images();
  integers();
  printf("kernels: %d threads, blocks of %d channels, %d laws do not hold\n", threads, rk_channel_block(), failures);
  return failures > 0;
}
