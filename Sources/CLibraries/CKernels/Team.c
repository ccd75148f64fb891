#include "CKernels.h"
#include "Team.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static void flush_to_zero(void *unused) {
  (void)unused;
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

void rk_prepare_team(int threads) {
  omp_set_num_threads(threads);
  flush_to_zero(0);
  GOMP_parallel(flush_to_zero, 0, 0, 0);
}

typedef struct { uint32_t *words; int capacity; } words_context;

static void read_word(void *opaque) {
  words_context *context = opaque;
  int thread = omp_get_thread_num();
#if defined(__x86_64__)
  if (thread < context->capacity) context->words[thread] = _mm_getcsr();
#else
  if (thread < context->capacity) context->words[thread] = 0x8040;
#endif
}

int rk_control_words(uint32_t *words, int capacity) {
  words_context context = {words, capacity};
  GOMP_parallel(read_word, &context, 0, 0);
  int count = omp_get_max_threads();
  return count < capacity ? count : capacity;
}

int rk_channel_block(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? 16 : 8;
#else
  return 8;
#endif
}
