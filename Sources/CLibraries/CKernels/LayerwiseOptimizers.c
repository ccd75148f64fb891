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
  rk_parameters of;
  float rate, momentum; int nesterov, is_start;
  lamb_terms lamb;
  void (*body)(const struct blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count);
} blockwise;

// Gives each block of the calling thread's share to the body.
static void blocks_body(void *opaque) {
  const blockwise *p = opaque;
  rk_range share = rk_share(rk_block_count(p->of.segments, p->of.segment_count), 1);
  int64_t first = 0;
  for (int64_t s = 0; s < p->of.segment_count; s++) {
    int64_t own = blocks_of(p->of.segments[s]);
    int64_t from = share.from > first ? share.from : first, to = share.to < first + own ? share.to : first + own;
    for (int64_t block = from; block < to; block++) {
      int64_t place = (block - first) * block_size, left = p->of.segments[s].count - place;
      p->body(p, block, s, p->of.segments[s].offset + place, left < block_size ? left : block_size);
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
  p->of.partial[block] = sum_of_squares(p->of.g + at, count);
}

double rk_squares(const float *x, const rk_segment *segments, int64_t segment_count, double *partial) {
  blockwise p = {.of = {.g = x, .segments = segments, .segment_count = segment_count, .partial = partial},
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
    n.weights += p->of.partial[2 * *block];
    n.moves += p->of.partial[2 * *block + 1];
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
  t.decay = p->of.segments[segment].decay;
  lamb_moments(p->of.w + at, p->of.g + at, p->of.first + at, p->of.second + at, count, t, p->of.partial + 2 * block);
}
static void lamb_apply_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)block;
  lamb_terms t = p->lamb;
  t.decay = p->of.segments[segment].decay;
  lamb_apply(p->of.w + at, p->of.first + at, p->of.second + at, count, t, p->rate * (float)p->of.ratios[segment]);
}

void rk_lamb(const rk_parameters *of, float rate, rk_moments moments, float divisor) {
  blockwise p = {.of = *of, .rate = rate, .body = lamb_moments_block,
                 .lamb = {divisor, (float)moments.beta1, (float)(1 - moments.beta1), (float)moments.beta2,
                          (float)(1 - moments.beta2), moments.epsilon, (float)moments.correction1,
                          (float)sqrt(moments.correction2), 0}};
  rk_parallel(blocks_body, &p);
  int64_t block = 0;
  for (int64_t s = 0; s < of->segment_count; s++) {
    norms n = norms_of(&p, of->segments[s], &block);
    of->ratios[s] = n.weights > 0 && n.moves > 0 ? n.weights / n.moves : 1;
  }
  p.body = lamb_apply_block;
  rk_parallel(blocks_body, &p);
}

RK_CLONES static void lars_range(float *w, const float *g, float *v, int64_t count, float rate, float momentum,
                                 float decay, float ratio, int nesterov, int is_start) {
  for (int64_t i = 0; i < count; i++) {
    float d = (g[i] + decay * w[i]) * ratio;
    if (v) {
      float n = is_start ? d : momentum * v[i] + d;
      v[i] = n;
      d = nesterov ? d + momentum * n : n;
    }
    w[i] -= rate * d;
  }
}

static void lars_norms_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)segment;
  p->of.partial[2 * block] = sum_of_squares(p->of.w + at, count);
  p->of.partial[2 * block + 1] = sum_of_squares(p->of.g + at, count);
}
static void lars_apply_block(const blockwise *p, int64_t block, int64_t segment, int64_t at, int64_t count) {
  (void)block;
  const rk_parameters *of = &p->of;
  lars_range(of->w + at, of->g + at, of->first ? of->first + at : 0, count, p->rate, p->momentum,
             of->segments[segment].decay, (float)of->ratios[segment], p->nesterov, p->is_start);
}

void rk_lars(const rk_parameters *of, float rate, float momentum, int nesterov, int is_start, double trust,
             double epsilon) {
  blockwise p = {.of = *of, .rate = rate, .momentum = momentum, .nesterov = nesterov, .is_start = is_start,
                 .body = lars_norms_block};
  if (momentum == 0) p.of.first = 0;
  rk_parallel(blocks_body, &p);
  int64_t block = 0;
  for (int64_t s = 0; s < of->segment_count; s++) {
    norms n = norms_of(&p, of->segments[s], &block);
    double decay = of->segments[s].decay;
    of->ratios[s] = n.weights > 0 && n.moves > 0 ? trust * n.weights / (n.moves + n.weights * decay + epsilon) : 1;
  }
  p.body = lars_apply_block;
  rk_parallel(blocks_body, &p);
}
