// Work on the OpenMP team that oneDNN uses, called directly so that no compiler flag is needed.
#pragma once
#include <stdint.h>

extern void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags);
extern void GOMP_barrier(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int);

// Runs a body once for each thread of the team.
static inline void rk_parallel(void (*body)(void *), void *context) { GOMP_parallel(body, context, 0, 0); }

// Each vector kernel is compiled for these; the loader picks.
#define RK_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define RK_INLINE static inline __attribute__((always_inline))
// Before a loop over elements whose arrays are one and the same or do not overlap: asked at run time, as the compiler
// would, one array counts as overlap.
#define RK_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")

typedef struct { int64_t from, to; } rk_range;

// The share of `count` items that falls to the calling thread, in multiples of `grain`.
static inline rk_range rk_share(int64_t count, int64_t grain) {
  int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
  int64_t grains = (count + grain - 1) / grain;
  int64_t from = grains * thread / threads * grain, to = grains * (thread + 1) / threads * grain;
  return (rk_range){from < count ? from : count, to < count ? to : count};
}
