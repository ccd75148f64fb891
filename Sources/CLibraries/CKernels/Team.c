#include "CKernels.h"
#include "Team.h"
#include <pthread.h>
#include <stdlib.h>
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

static void *wait_for_end(void *gate) {
  pthread_mutex_lock(gate);
  pthread_mutex_unlock(gate);
  return 0;
}

// How many threads the system gives beside the calling one, up to `wanted`. OpenMP ends the process where it gets fewer
// than it starts.
static int startable(int wanted) {
  pthread_t *threads = malloc((size_t)wanted * sizeof(pthread_t));
  if (!threads) return 0;
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&gate);
  int count = 0;
  while (count < wanted && pthread_create(&threads[count], 0, wait_for_end, &gate) == 0) count++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < count; i++) pthread_join(threads[i], 0);
  free(threads);
  return count;
}

int rk_prepare_team(int threads) {
  omp_set_dynamic(0);
  if (threads > 1) threads = 1 + startable(threads - 1);
  // OMP_THREAD_LIMIT and OMP_MAX_ACTIVE_LEVELS may leave fewer. What is asked for from then on must be what there is:
  // oneDNN waits for as many.
  for (int size = 0;; threads = size) {
    omp_set_num_threads(threads);
    GOMP_parallel(prepare_thread, &size, 0, 0);
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
  GOMP_parallel(read_word, &context, 0, 0);
  int count = omp_get_max_threads();
  return count < capacity ? count : capacity;
}

// The flag that a thread raises where a difference of infinities, zero times infinity, or a comparison with NaN comes up.
enum { invalid = 1 };

static void forget(void *unused) {
  (void)unused;
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() & ~(unsigned)invalid);
#endif
}
void rk_forget_invalid(void) { GOMP_parallel(forget, 0, 0, 0); }

static void look_for_invalid(void *found) {
  (void)found;
#if defined(__x86_64__)
  if (_mm_getcsr() & invalid) __atomic_store_n((int *)found, 1, __ATOMIC_RELAXED);
#endif
}
int rk_saw_invalid(void) {
  int found = 0;
  GOMP_parallel(look_for_invalid, &found, 0, 0);
  return found;
}

int rk_channel_block(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? 16 : 8;
#else
  return 8;
#endif
}
