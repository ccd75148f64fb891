// 3 x 3 convolutions of stride 1, as the zoo has them: how fast each of oneDNN's float32 kernels is, and how exact.
#include <dnnl.h>
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(call)                                                                     \
  do {                                                                                  \
    dnnl_status_t status_ = (call);                                                     \
    if (status_) { fprintf(stderr, "line %d: status %d\n", __LINE__, status_); exit(1); } \
  } while (0)

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, INFERENCE } direction;
static const char *const names[] = {"forward", "backward data", "backward weights", "inference"};

typedef struct { int batch, channels, outputs, side; } shape;

// One kernel, with memory of its own in the layouts it likes.
typedef struct {
  dnnl_primitive_t primitive;
  dnnl_memory_t source, weights, target, bias;
  direction way;
  double seconds;
} kernel;

static dnnl_memory_t take(const dnnl_memory_desc_t *layout) {
  dnnl_memory_t memory;
  CHECK(dnnl_memory_create(&memory, layout, engine, DNNL_MEMORY_ALLOCATE));
  void *bytes;
  CHECK(dnnl_memory_get_data_handle(memory, &bytes));
  memset(bytes, 0, dnnl_memory_desc_get_size(layout));
  return memory;
}

static void release(kernel *k) {
  dnnl_primitive_destroy(k->primitive);
  dnnl_memory_destroy(k->source);
  dnnl_memory_destroy(k->weights);
  dnnl_memory_destroy(k->target);
  if (k->bias) dnnl_memory_destroy(k->bias);
}

static void describe(dnnl_memory_desc_t *layout, int rank, const int64_t *extents, int is_blocked) {
  dnnl_dims_t dims;
  for (int i = 0; i < rank; i++) dims[i] = extents[i];
  CHECK(dnnl_memory_desc_init_by_tag(
      layout, rank, dims, dnnl_f32, is_blocked ? dnnl_nChw16c : rank == 1 ? dnnl_a : dnnl_format_tag_any));
}

// The first kernel whose name holds `wanted`; 0 where there is none.
static int make(kernel *k, shape s, direction way, dnnl_alg_kind_t algorithm, const char *wanted, int is_blocked) {
  dnnl_memory_desc_t source, weights, bias, target;
  describe(&source, 4, (int64_t[]){s.batch, s.channels, s.side, s.side}, is_blocked);
  describe(&weights, 4, (int64_t[]){s.outputs, s.channels, 3, 3}, 0);
  describe(&bias, 1, (int64_t[]){s.outputs}, 0);
  describe(&target, 4, (int64_t[]){s.batch, s.outputs, s.side, s.side}, is_blocked);
  dnnl_dims_t ones = {1, 1};
  dnnl_convolution_desc_t forward, operation;
  int infers = way == INFERENCE;
  CHECK(dnnl_convolution_forward_desc_init(
      &forward, infers ? dnnl_forward_inference : dnnl_forward_training,
      way == BACKWARD_DATA || way == BACKWARD_WEIGHTS ? dnnl_convolution_direct : algorithm, &source, &weights,
      infers ? &bias : NULL, &target, ones, ones, ones));
  dnnl_primitive_desc_t hint = NULL;
  operation = forward;
  if (way == BACKWARD_DATA || way == BACKWARD_WEIGHTS) {
    CHECK(dnnl_primitive_desc_create(&hint, &forward, NULL, engine, NULL));
    if (way == BACKWARD_DATA)
      CHECK(dnnl_convolution_backward_data_desc_init(&operation, algorithm, &source, &weights, &target, ones, ones, ones));
    else
      CHECK(dnnl_convolution_backward_weights_desc_init(
          &operation, algorithm, &source, &weights, NULL, &target, ones, ones, ones));
  }
  dnnl_primitive_desc_iterator_t candidates;
  int found = 0;
  if (dnnl_primitive_desc_iterator_create(&candidates, &operation, NULL, engine, hint) == dnnl_success) {
    do {
      dnnl_primitive_desc_t candidate = dnnl_primitive_desc_iterator_fetch(candidates);
      const char *name;
      CHECK(dnnl_primitive_desc_query(candidate, dnnl_query_impl_info_str, 0, &name));
      if (!wanted || strstr(name, wanted)) {
        dnnl_query_t source_kind = way == BACKWARD_DATA ? dnnl_query_diff_src_md : dnnl_query_src_md;
        dnnl_query_t weights_kind = way == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
        dnnl_query_t target_kind =
            way == BACKWARD_DATA || way == BACKWARD_WEIGHTS ? dnnl_query_diff_dst_md : dnnl_query_dst_md;
        CHECK(dnnl_primitive_create(&k->primitive, candidate));
        k->source = take(dnnl_primitive_desc_query_md(candidate, source_kind, 0));
        k->weights = take(dnnl_primitive_desc_query_md(candidate, weights_kind, 0));
        k->target = take(dnnl_primitive_desc_query_md(candidate, target_kind, 0));
        k->bias = infers ? take(&bias) : NULL;
        k->way = way;
        k->seconds = INFINITY;
        found = 1;
      }
      dnnl_primitive_desc_destroy(candidate);
    } while (!found && dnnl_primitive_desc_iterator_next(candidates) == dnnl_success);
    dnnl_primitive_desc_iterator_destroy(candidates);
  }
  if (hint) dnnl_primitive_desc_destroy(hint);
  return found;
}

static double run(kernel *k) {
  static const int arguments[][3] = {
      {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
      {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
      {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
      {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST}};
  const int *names = arguments[k->way];
  dnnl_exec_arg_t list[] = {
      {names[0], k->source}, {names[1], k->weights}, {names[2], k->target}, {DNNL_ARG_BIAS, k->bias}};
  double begun = now();
  CHECK(dnnl_primitive_execute(k->primitive, stream, k->bias ? 4 : 3, list));
  CHECK(dnnl_stream_wait(stream));
  return now() - begun;
}

// Copies plain numbers into a kernel's layout, or back.
static void move(dnnl_memory_t memory, float *plain, int rank, const int64_t *extents, int into) {
  dnnl_memory_desc_t layout;
  dnnl_dims_t dims;
  for (int i = 0; i < rank; i++) dims[i] = extents[i];
  CHECK(dnnl_memory_desc_init_by_tag(&layout, rank, dims, dnnl_f32, dnnl_abcd));
  dnnl_memory_t outside;
  CHECK(dnnl_memory_create(&outside, &layout, engine, plain));
  const dnnl_memory_desc_t *inside;
  CHECK(dnnl_memory_get_memory_desc(memory, &inside));
  dnnl_primitive_desc_t description;
  dnnl_primitive_t reorder;
  CHECK(dnnl_reorder_primitive_desc_create(
      &description, into ? &layout : inside, engine, into ? inside : &layout, engine, NULL));
  CHECK(dnnl_primitive_create(&reorder, description));
  dnnl_exec_arg_t list[] = {{DNNL_ARG_FROM, into ? outside : memory}, {DNNL_ARG_TO, into ? memory : outside}};
  CHECK(dnnl_primitive_execute(reorder, stream, 2, list));
  CHECK(dnnl_stream_wait(stream));
  dnnl_primitive_destroy(reorder);
  dnnl_primitive_desc_destroy(description);
  dnnl_memory_destroy(outside);
}

static void fill(kernel *k) {
  dnnl_memory_t all[] = {k->source, k->weights, k->target};
  for (int i = 0; i < 3; i++) {
    const dnnl_memory_desc_t *layout;
    float *numbers;
    CHECK(dnnl_memory_get_memory_desc(all[i], &layout));
    CHECK(dnnl_memory_get_data_handle(all[i], (void **)&numbers));
    size_t count = dnnl_memory_desc_get_size(layout) / 4;
    for (size_t j = 0; j < count; j++) numbers[j] = 0.01f * (float)(j * 7 % 13) - 0.06f;
  }
}

static const int sides[][2] = {{64, 224}, {128, 112}, {64, 56}, {256, 56}, {128, 28}, {512, 28}, {256, 14}, {512, 14}, {512, 7}};
enum { SIDES = sizeof sides / sizeof *sides };

typedef struct { const char *name; dnnl_alg_kind_t algorithm; const char *wanted; int is_blocked; } candidate;
static const candidate candidates[] = {
    {"direct", dnnl_convolution_direct, NULL, 0},
    {"direct, blocked", dnnl_convolution_direct, NULL, 1},
    {"F(2x2, 3x3)", dnnl_convolution_winograd, "2x3", 0},
    {"F(4x4, 3x3)", dnnl_convolution_winograd, "4x3", 0}};

static void time_all(direction way, const int *batches, int batch_count) {
  printf("%-16s %8s %5s %6s", names[way], "channels", "side", "batch");
  for (int c = 0; c < 4; c++) printf(" %16s", candidates[c].name);
  printf("   milliseconds\n");
  for (int i = 0; i < SIDES; i++) {
    for (int b = 0; b < batch_count; b++) {
      shape s = {batches[b], sides[i][0], sides[i][0], sides[i][1]};
      if ((double)s.batch * s.channels * s.side * s.side > 3e7) continue;
      kernel kernels[4];
      int there[4];
      for (int c = 0; c < 4; c++) {
        there[c] = (c != 1 || way == INFERENCE) &&
                   make(&kernels[c], s, way, candidates[c].algorithm, candidates[c].wanted, candidates[c].is_blocked);
        if (there[c]) fill(&kernels[c]);
      }
      // Alternately, and not the first round.
      int rounds = (double)s.batch * s.channels * s.side * s.side > 1e6 ? 12 : 40;
      for (int round = 0; round < rounds; round++)
        for (int c = 0; c < 4; c++)
          if (there[c]) {
            double seconds = run(&kernels[c]);
            if (round > 0 && seconds < kernels[c].seconds) kernels[c].seconds = seconds;
          }
      printf("%-16s %8d %5d %6d", "", s.channels, s.side, s.batch);
      for (int c = 0; c < 4; c++) {
        if (there[c]) printf(" %16.3f", kernels[c].seconds * 1e3);
        else printf(" %16s", "-");
      }
      printf("\n");
      fflush(stdout);
      for (int c = 0; c < 4; c++)
        if (there[c]) release(&kernels[c]);
    }
  }
}

static double normal(void) {
  double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = (rand() + 1.0) / (RAND_MAX + 2.0);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

// All three products in float64, plain loops.
static void reference(shape s, direction way, const float *x, const float *w, const float *g, double *result) {
  int n = s.side;
  for (int b = 0; b < s.batch; b++)
    for (int o = 0; o < s.outputs; o++)
      for (int c = 0; c < s.channels; c++) {
        const float *in = x + ((size_t)b * s.channels + c) * n * n, *out = g + ((size_t)b * s.outputs + o) * n * n;
        double *y = result + ((size_t)b * s.outputs + o) * n * n, *dx = result + ((size_t)b * s.channels + c) * n * n;
        for (int ky = -1; ky <= 1; ky++)
          for (int kx = -1; kx <= 1; kx++) {
            size_t at = (((size_t)o * s.channels + c) * 3 + ky + 1) * 3 + kx + 1;
            double weight = w[at], sum = 0;
            int from = kx < 0 ? 1 : 0, to = kx > 0 ? n - 1 : n;
            for (int row = ky < 0 ? 1 : 0; row < (ky > 0 ? n - 1 : n); row++) {
              const float *source = in + (row + ky) * n + kx, *target = out + row * n;
              if (way == BACKWARD_DATA)
                for (int i = from; i < to; i++) dx[(row + ky) * n + kx + i] += weight * target[i];
              else if (way == BACKWARD_WEIGHTS)
                for (int i = from; i < to; i++) sum += (double)source[i] * target[i];
              else
                for (int i = from; i < to; i++) y[row * n + i] += weight * source[i];
            }
            if (way == BACKWARD_WEIGHTS) result[at] += sum;
          }
      }
}

static void measure_errors(void) {
  printf("%-18s %8s %5s  %-12s %14s %14s\n", "direction", "channels", "side", "kernel", "relative L2", "worst / rms");
  for (int i = 0; i < SIDES; i++) {
    shape s = {2, sides[i][0], sides[i][0], sides[i][1]};
    if (s.side > 112) s.batch = 1;
    int64_t images[] = {s.batch, s.channels, s.side, s.side}, filters[] = {s.outputs, s.channels, 3, 3};
    size_t image_count = (size_t)s.batch * s.channels * s.side * s.side, filter_count = (size_t)s.outputs * s.channels * 9;
    float *x = malloc(4 * image_count), *g = malloc(4 * image_count), *w = malloc(4 * filter_count);
    size_t most = image_count > filter_count ? image_count : filter_count;
    float *found = malloc(4 * most);
    double *exact = malloc(8 * most);
    // What follows a ReLU, weights as He et al. draw them, and gradients of either sign.
    for (size_t j = 0; j < image_count; j++) x[j] = fmaxf(0, (float)normal());
    for (size_t j = 0; j < image_count; j++) g[j] = (float)normal();
    for (size_t j = 0; j < filter_count; j++) w[j] = (float)(normal() * sqrt(2.0 / (9 * s.channels)));
    for (direction way = FORWARD; way <= BACKWARD_WEIGHTS; way++) {
      size_t count = way == BACKWARD_WEIGHTS ? filter_count : image_count;
      memset(exact, 0, 8 * count);
      reference(s, way, x, w, g, exact);
      for (int c = 0; c < 4; c++) {
        if (c == 1) continue;
        kernel k;
        // F(2x2, 3x3) is there for inference alone.
        if (!make(&k, s, c == 2 && way == FORWARD ? INFERENCE : way, candidates[c].algorithm, candidates[c].wanted, 0))
          continue;
        move(k.source, x, 4, images, 1);
        move(k.weights, w, 4, filters, 1);
        move(k.target, g, 4, images, 1);
        run(&k);
        dnnl_memory_t result = way == FORWARD ? k.target : way == BACKWARD_DATA ? k.source : k.weights;
        move(result, found, 4, way == BACKWARD_WEIGHTS ? filters : images, 0);
        double error = 0, size = 0, worst = 0;
        for (size_t j = 0; j < count; j++) {
          double difference = fabs(found[j] - exact[j]);
          error += difference * difference;
          size += exact[j] * exact[j];
          if (difference > worst) worst = difference;
        }
        printf("%-18s %8d %5d  %-12s %14.2e %14.2e\n", names[way], s.channels, s.side, candidates[c].name,
               sqrt(error / size), worst / sqrt(size / (double)count));
        fflush(stdout);
        release(&k);
      }
    }
    free(x), free(g), free(w), free(found), free(exact);
  }
}

int main(int count, char **arguments) {
  _mm_setcsr(_mm_getcsr() | 0x8040);
  CHECK(dnnl_engine_create(&engine, dnnl_cpu, 0));
  CHECK(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
  if (count > 1 && strcmp(arguments[1], "error") == 0) {
    measure_errors();
  } else {
    time_all(INFERENCE, (int[]){1, 2, 4, 8, 16}, 5);
    for (direction way = FORWARD; way <= BACKWARD_WEIGHTS; way++) time_all(way, (int[]){1, 4, 16}, 3);
  }
  return 0;
}
