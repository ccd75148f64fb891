#include "CKernels.h"
#include "Team.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static void flush_to_zero(void) {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

static void prepare_thread(void *size) {
  flush_to_zero();
  if (omp_get_thread_num() == 0) *(int *)size = omp_get_num_threads();
}

int rk_prepare_team(int threads) {
  // OMP_THREAD_LIMIT or the system may leave fewer. What is asked for from then on must be what there is: oneDNN waits for
  // as many.
  for (int size = 0;; threads = size) {
    omp_set_num_threads(threads);
    rk_parallel(prepare_thread, &size);
    if (size >= threads) return threads;
  }
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
  rk_parallel(read_word, &context);
  int count = omp_get_max_threads();
  return count < capacity ? count : capacity;
}

// The flags that are raised where a difference of infinities, zero times infinity, or a comparison with NaN comes up, and
// where a number outgrows floats. The team hands what its threads raise back to the thread that calls.
enum { invalid = 1 | 8 };

void rk_forget_invalid(void) {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() & ~(unsigned)invalid);
#endif
}

int rk_saw_invalid(void) {
#if defined(__x86_64__)
  return _mm_getcsr() & invalid;
#else
  return 0;
#endif
}

int rk_channel_block(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? 16 : 8;
#else
  return 8;
#endif
}
