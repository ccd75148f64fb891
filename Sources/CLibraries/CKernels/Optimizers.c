#include "CKernels.h"
#include "Team.h"
#include <math.h>

typedef struct {
  float *w; const float *g; float *m, *v; const rk_segment *segments; int64_t segment_count;
  float rate, momentum, beta2, epsilon; double correction1, correction2; int flag, first;
} update;

RK_CLONES static void sgd_range(float *w, const float *g, float *v, int64_t count, float rate, float momentum,
                                float decay, int nesterov, int first) {
  if (momentum == 0) {
    for (int64_t i = 0; i < count; i++) w[i] -= rate * (g[i] + decay * w[i]);
  } else if (first) {
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
  update *p = opaque;
  for (int64_t s = 0; s < p->segment_count; s++) {
    rk_segment segment = p->segments[s];
    rk_range share = rk_share(segment.count, 16);
    int64_t at = segment.offset + share.from;
    sgd_range(p->w + at, p->g + at, p->m + at, share.to - share.from, p->rate, p->momentum, segment.decay, p->flag,
              p->first);
  }
}

void rk_sgd(float *w, const float *g, float *v, const rk_segment *segments, int64_t segment_count, float rate,
            float momentum, int nesterov, int first) {
  update p = {.w = w, .g = g, .m = v, .segments = segments, .segment_count = segment_count, .rate = rate,
              .momentum = momentum, .flag = nesterov, .first = first};
  GOMP_parallel(sgd_body, &p, 0, 0);
}

RK_CLONES static void adam_range(float *w, const float *g, float *m, float *v, int64_t count, float rate, float beta1,
                                 float beta2, float epsilon, float decay, float correction1, float root2,
                                 int decoupled) {
  float step = rate / correction1, shrink = decoupled ? 1 - rate * decay : 1, joined = decoupled ? 0 : decay;
  for (int64_t i = 0; i < count; i++) {
    float d = g[i] + joined * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * d;
    v[i] = beta2 * v[i] + (1 - beta2) * d * d;
    w[i] = shrink * w[i] - step * m[i] / (__builtin_sqrtf(v[i]) / root2 + epsilon);
  }
}

static void adam_body(void *opaque) {
  update *p = opaque;
  for (int64_t s = 0; s < p->segment_count; s++) {
    rk_segment segment = p->segments[s];
    rk_range share = rk_share(segment.count, 16);
    int64_t at = segment.offset + share.from;
    adam_range(p->w + at, p->g + at, p->m + at, p->v + at, share.to - share.from, p->rate, p->momentum, p->beta2,
               p->epsilon, segment.decay, (float)p->correction1, (float)sqrt(p->correction2), p->flag);
  }
}

void rk_adam(float *w, const float *g, float *m, float *v, const rk_segment *segments, int64_t segment_count,
             float rate, float beta1, float beta2, float epsilon, double correction1, double correction2,
             int decoupled) {
  update p = {.w = w, .g = g, .m = m, .v = v, .segments = segments, .segment_count = segment_count, .rate = rate,
              .momentum = beta1, .beta2 = beta2, .epsilon = epsilon, .correction1 = correction1,
              .correction2 = correction2, .flag = decoupled};
  GOMP_parallel(adam_body, &p, 0, 0);
}

double rk_sum_of_squares(const float *x, int64_t count) {
  double total = 0;
  for (int64_t from = 0; from < count; from += 4096) {
    int64_t to = from + 4096 < count ? from + 4096 : count;
    double lanes[8] = {0};
    int64_t i = from;
    for (; i + 8 <= to; i += 8)
      for (int l = 0; l < 8; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
    for (; i < to; i++) lanes[0] += (double)x[i] * (double)x[i];
    for (int l = 0; l < 8; l++) total += lanes[l];
  }
  return total;
}

int rk_all_finite(const float *x, int64_t count) {
  uint32_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    __builtin_memcpy(&bits, x + i, 4);
    found |= (bits & 0x7F800000u) == 0x7F800000u;
  }
  return !found;
}
