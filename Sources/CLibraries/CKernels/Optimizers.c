#include "CKernels.h"
#include "Team.h"
#include <math.h>

typedef struct { const rk_parameters *p; float rate, momentum; int nesterov, is_start; } sgd;

RK_CLONES static void sgd_range(float *w, const float *g, float *v, int64_t count, float rate, float momentum,
                                float decay, int nesterov, int is_start) {
  if (momentum == 0) {
    for (int64_t i = 0; i < count; i++) w[i] -= rate * (g[i] + decay * w[i]);
  } else if (is_start) {
    // PyTorch starts the velocity as the first gradient.
    for (int64_t i = 0; i < count; i++) {
      float d = g[i] + decay * w[i];
      v[i] = d;
      w[i] -= rate * (nesterov ? d + momentum * d : d);
    }
  } else if (nesterov) {
    for (int64_t i = 0; i < count; i++) {
      float d = g[i] + decay * w[i], n = momentum * v[i] + d;
      v[i] = n;
      w[i] -= rate * (d + momentum * n);
    }
  } else {
    for (int64_t i = 0; i < count; i++) {
      float n = momentum * v[i] + (g[i] + decay * w[i]);
      v[i] = n;
      w[i] -= rate * n;
    }
  }
}

static void sgd_body(void *opaque) {
  const sgd *by = opaque;
  const rk_parameters *p = by->p;
  for (int64_t s = 0; s < p->segment_count; s++) {
    rk_segment segment = p->segments[s];
    rk_range share = rk_share(segment.count, 16);
    int64_t at = segment.offset + share.from;
    sgd_range(p->w + at, p->g + at, p->first + at, share.to - share.from, by->rate, by->momentum, segment.decay,
              by->nesterov, by->is_start);
  }
}

void rk_sgd(const rk_parameters *p, float rate, float momentum, int nesterov, int is_start) {
  sgd by = {p, rate, momentum, nesterov, is_start};
  rk_parallel(sgd_body, &by);
}

typedef struct { float beta1, rest1, beta2, rest2, step, root2, epsilon, shrink, joined; } adam_terms;

RK_CLONES static void adam_range(float *w, const float *g, float *m, float *v, int64_t count, adam_terms t) {
  for (int64_t i = 0; i < count; i++) {
    float d = g[i] + t.joined * w[i];
    m[i] = t.beta1 * m[i] + t.rest1 * d;
    v[i] = t.beta2 * v[i] + t.rest2 * d * d;
    w[i] = t.shrink * w[i] - t.step * m[i] / (__builtin_sqrtf(v[i]) / t.root2 + t.epsilon);
  }
}

typedef struct { const rk_parameters *p; adam_terms terms; double rate; int decoupled; } adam;

static void adam_body(void *opaque) {
  const adam *by = opaque;
  const rk_parameters *p = by->p;
  for (int64_t s = 0; s < p->segment_count; s++) {
    rk_segment segment = p->segments[s];
    rk_range share = rk_share(segment.count, 16);
    int64_t at = segment.offset + share.from;
    adam_terms terms = by->terms;
    terms.shrink = by->decoupled ? (float)(1 - by->rate * segment.decay) : 1;
    terms.joined = by->decoupled ? 0 : segment.decay;
    adam_range(p->w + at, p->g + at, p->first + at, p->second + at, share.to - share.from, terms);
  }
}

void rk_adam(const rk_parameters *p, double rate, rk_moments moments, int decoupled) {
  // What follows from the arguments is rounded once, as PyTorch does: 1 - beta2 in single precision would be off by 1e-5.
  adam_terms terms = {.beta1 = (float)moments.beta1, .rest1 = (float)(1 - moments.beta1),
                      .beta2 = (float)moments.beta2, .rest2 = (float)(1 - moments.beta2),
                      .step = (float)(rate / moments.correction1), .root2 = (float)sqrt(moments.correction2),
                      .epsilon = moments.epsilon};
  adam by = {p, terms, rate, decoupled};
  rk_parallel(adam_body, &by);
}

typedef struct { float rate, kept, rest, momentum, epsilon, decay; } rms_terms;

// `b` may be NULL.
RK_CLONES static void rms_range(float *w, const float *g, float *v, float *b, int64_t count, rms_terms t) {
  for (int64_t i = 0; i < count; i++) {
    float d = g[i] + t.decay * w[i];
    v[i] = t.kept * v[i] + t.rest * d * d;
    float step = d / (__builtin_sqrtf(v[i]) + t.epsilon);
    if (b) b[i] = step = t.momentum * b[i] + step;
    w[i] -= t.rate * step;
  }
}
RK_CLONES static void rms_range_tensorflow(float *w, const float *g, float *v, float *b, int64_t count, rms_terms t) {
  for (int64_t i = 0; i < count; i++) {
    float d = g[i] + t.decay * w[i];
    v[i] += t.rest * (d * d - v[i]);
    float step = t.rate * d / __builtin_sqrtf(v[i] + t.epsilon);
    if (b) b[i] = step = t.momentum * b[i] + step;
    w[i] -= step;
  }
}

typedef struct { const rk_parameters *p; rms_terms terms; int tensorflow; } rms;

static void rms_body(void *opaque) {
  const rms *by = opaque;
  const rk_parameters *p = by->p;
  for (int64_t s = 0; s < p->segment_count; s++) {
    rk_segment segment = p->segments[s];
    rk_range share = rk_share(segment.count, 16);
    int64_t at = segment.offset + share.from;
    rms_terms terms = by->terms;
    terms.decay = segment.decay;
    (by->tensorflow ? rms_range_tensorflow : rms_range)(
        p->w + at, p->g + at, p->first + at, p->second ? p->second + at : 0, share.to - share.from, terms);
  }
}

void rk_rms_prop(const rk_parameters *p, float rate, double decay, float momentum, float epsilon, int tensorflow) {
  rms by = {p, {rate, (float)decay, (float)(1 - decay), momentum, epsilon, 0}, tensorflow};
  rk_parallel(rms_body, &by);
}
