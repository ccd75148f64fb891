#define _GNU_SOURCE
#include "CAllocations.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_int counts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static allocation_count now;
static _Thread_local int inside;

static void note(size_t size, void *caller) {
  if (!atomic_load_explicit(&counts, memory_order_relaxed) || inside) return;
  inside = 1;
  Dl_info place = {0};
  dladdr(caller, &place);
  const char *object = place.dli_fname ? place.dli_fname : "";
  int theirs = strstr(object, "libstdc++") || strstr(object, "libdnnl") || strstr(object, "libgomp");
  pthread_mutex_lock(&lock);
  if (theirs) {
    now.libraries++;
  } else {
    now.ours++;
    snprintf(now.example, sizeof now.example, "%s %s", object, place.dli_sname ? place.dli_sname : "");
  }
  if ((int64_t)size > now.largest) now.largest = (int64_t)size;
  pthread_mutex_unlock(&lock);
  inside = 0;
}

void *malloc(size_t size) {
  note(size, __builtin_return_address(0));
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  note(count * size, __builtin_return_address(0));
  return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  note(size, __builtin_return_address(0));
  return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  note(size, __builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  note(size, __builtin_return_address(0));
  void *taken = __libc_memalign(alignment, size);
  if (!taken) return ENOMEM;
  *result = taken;
  return 0;
}

void allocations_start(void) {
  memset(&now, 0, sizeof now);
  atomic_store(&counts, 1);
}

allocation_count allocations_stop(void) {
  atomic_store(&counts, 0);
  pthread_mutex_lock(&lock);
  allocation_count result = now;
  pthread_mutex_unlock(&lock);
  return result;
}
