// Optimizers that look at whole tensors: sums over segments, block by block, and what is scaled by them.
#include "CKernels.h"
#include "Team.h"
#include <math.h>

enum { block_size = 4096 };

static int64_t blocks_of(rk_segment segment) { return (segment.count + block_size - 1) / block_size; }

int64_t rk_block_count(const rk_segment *segments, int64_t segment_count) {
  int64_t count = 0;
  for (int64_t s = 0; s < segment_count; s++) count += blocks_of(segments[s]);
  return count;
}

typedef struct { float divisor, beta1, rest1, beta2, rest2, epsilon, correction1, root2, decay; } lamb_terms;

typedef struct blockwise {
  float *w; const float *g; float *m, *v; const rk_segment *segments; int64_t segment_count;
  double *partial, *ratios;
  float rate, momentum; int nesterov, first;
  lamb_terms lamb;
  void (*body)(const struct blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count);
} blockwise;

// Gives each block of the calling thread's share to the body.
static void blocks_body(void *opaque) {
  const blockwise *p = opaque;
  rk_range share = rk_share(rk_block_count(p->segments, p->segment_count), 1);
  int64_t first = 0;
  for (int64_t s = 0; s < p->segment_count; s++) {
    int64_t own = blocks_of(p->segments[s]);
    int64_t from = share.from > first ? share.from : first, to = share.to < first + own ? share.to : first + own;
    for (int64_t block = from; block < to; block++) {
      int64_t place = (block - first) * block_size, left = p->segments[s].count - place;
      p->body(p, block, s, p->segments[s].offset + place, left < block_size ? left : block_size);
    }
    first += own;
  }
}

static double total(const double *lanes) {
  double sum = 0;
  for (int l = 0; l < 8; l++) sum += lanes[l];
  return sum;
}

RK_CLONES static double sum_of_squares(const float *x, int64_t count) {
  double lanes[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int l = 0; l < 8; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
  for (; i < count; i++) lanes[0] += (double)x[i] * (double)x[i];
  return total(lanes);
}

static void squares_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)segment;
  p->partial[block] = sum_of_squares(p->g + at, count);
}

double rk_squares(const float *x, const rk_segment *segments, int64_t segment_count, double *partial) {
  blockwise p = {.g = x, .segments = segments, .segment_count = segment_count, .partial = partial,
                 .body = squares_block};
  rk_parallel(blocks_body, &p);
  double sum = 0;
  for (int64_t block = 0; block < rk_block_count(segments, segment_count); block++) sum += partial[block];
  return sum;
}

// The norms of a segment's weights and of what moves them, from the pairs of sums of its blocks, of which `block` is
// the first; 0 and 0 where it does not decay, which is where no ratio is wanted.
typedef struct { double weights, moves; } norms;
static norms norms_of(const blockwise *p, rk_segment segment, int64_t *block) {
  norms n = {0, 0};
  for (int64_t end = *block + blocks_of(segment); *block < end; ++*block) {
    n.weights += p->partial[2 * *block];
    n.moves += p->partial[2 * *block + 1];
  }
  if (segment.decay == 0) return (norms){0, 0};
  return (norms){sqrt(n.weights), sqrt(n.moves)};
}

RK_INLINE float lamb_step(float w, float m, float v, lamb_terms t) {
  return m / t.correction1 / (__builtin_sqrtf(v) / t.root2 + t.epsilon) + t.decay * w;
}

// Moves m and v; sums: the squares of the weights, and of the step they would make.
RK_CLONES static void lamb_moments(const float *w, const float *g, float *m, float *v, int64_t count, lamb_terms t,
                                   double *sums) {
  double weights[8] = {0}, steps[8] = {0};
  for (int64_t from = 0; from < count; from += 8) {
    int64_t lanes = count - from < 8 ? count - from : 8;
    for (int64_t l = 0; l < lanes; l++) {
      int64_t i = from + l;
      float d = g[i] / t.divisor;
      m[i] = t.beta1 * m[i] + t.rest1 * d;
      v[i] = t.beta2 * v[i] + t.rest2 * d * d;
      double step = lamb_step(w[i], m[i], v[i], t);
      weights[l] += (double)w[i] * (double)w[i];
      steps[l] += step * step;
    }
  }
  sums[0] = total(weights);
  sums[1] = total(steps);
}
RK_CLONES static void lamb_apply(float *w, const float *m, const float *v, int64_t count, lamb_terms t, float rate) {
  for (int64_t i = 0; i < count; i++) w[i] -= rate * lamb_step(w[i], m[i], v[i], t);
}

static void lamb_moments_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  lamb_terms t = p->lamb;
  t.decay = p->segments[segment].decay;
  lamb_moments(p->w + at, p->g + at, p->m + at, p->v + at, count, t, p->partial + 2 * block);
}
static void lamb_apply_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)block;
  lamb_terms t = p->lamb;
  t.decay = p->segments[segment].decay;
  lamb_apply(p->w + at, p->m + at, p->v + at, count, t, p->rate * (float)p->ratios[segment]);
}

void rk_lamb(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             double *partial, double *ratios, float divisor, float rate, double beta1, double beta2, float epsilon,
             double correction1, double correction2) {
  blockwise p = {.w = w, .g = g, .m = m, .v = v, .segments = segments, .segment_count = segment_count,
                 .partial = partial, .ratios = ratios, .rate = rate, .body = lamb_moments_block,
                 .lamb = {divisor, (float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2), epsilon,
                          (float)correction1, (float)sqrt(correction2), 0}};
  rk_parallel(blocks_body, &p);
  int64_t block = 0;
  for (int64_t s = 0; s < segment_count; s++) {
    norms n = norms_of(&p, segments[s], &block);
    ratios[s] = n.weights > 0 && n.moves > 0 ? n.weights / n.moves : 1;
  }
  p.body = lamb_apply_block;
  rk_parallel(blocks_body, &p);
}

RK_CLONES static void lars_range(float *w, const float *g, float *v, int64_t count, float rate, float momentum,
                                 float decay, float ratio, int nesterov, int first) {
  for (int64_t i = 0; i < count; i++) {
    float d = (g[i] + decay * w[i]) * ratio;
    if (v) {
      float n = first ? d : momentum * v[i] + d;
      v[i] = n;
      d = nesterov ? d + momentum * n : n;
    }
    w[i] -= rate * d;
  }
}

static void lars_norms_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)segment;
  p->partial[2 * block] = sum_of_squares(p->w + at, count);
  p->partial[2 * block + 1] = sum_of_squares(p->g + at, count);
}
static void lars_apply_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)block;
  lars_range(p->w + at, p->g + at, p->v ? p->v + at : 0, count, p->rate, p->momentum, p->segments[segment].decay,
             (float)p->ratios[segment], p->nesterov, p->first);
}

void rk_lars(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, double *partial,
             double *ratios, float rate, float momentum, int nesterov, int first, double trust, double epsilon) {
  blockwise p = {.w = w, .g = g, .v = momentum == 0 ? 0 : v, .segments = segments, .segment_count = segment_count,
                 .partial = partial, .ratios = ratios, .rate = rate, .momentum = momentum, .nesterov = nesterov,
                 .first = first, .body = lars_norms_block};
  rk_parallel(blocks_body, &p);
  int64_t block = 0;
  for (int64_t s = 0; s < segment_count; s++) {
    norms n = norms_of(&p, segments[s], &block);
    double decay = segments[s].decay;
    ratios[s] = n.weights > 0 && n.moves > 0 ? trust * n.weights / (n.moves + n.weights * decay + epsilon) : 1;
  }
  p.body = lars_apply_block;
  rk_parallel(blocks_body, &p);
}
