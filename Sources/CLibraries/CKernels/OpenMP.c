// The team of threads: what oneDNN and our own kernels call of OpenMP's run time. Defined in the program itself, these
// functions are found before libgomp's.
//
// Goals, in order: the same bits as libgomp, so the same work for each number of a thread; no thread holds a core that
// another program wants; a step on a quiet machine costs what it costs with threads that never sleep.
//
// Five things differ from libgomp:
// - Whoever waits gives its core away after `spin` nanoseconds instead of milliseconds.
// - The calling thread, once its own part is done, takes over parts that have not begun, as those of a thread that waits
//   for a core. A part that waits at a barrier has begun, so nobody waits for what is never begun.
// - A worker offers its core to others after `turn` nanoseconds, between two parts. Taken from it in the middle of a part,
//   as the system would do later, the core would be missed by all threads, for as long as another program's time slice.
// - A worker that finds itself on the caller's core is sent to the others: beside a busy program the system often leaves
//   both on one core, and gives that program one of its own.
// - Each region hands on the caller's floating-point control word, and hands back the exceptions that were raised, as if
//   one thread had run all parts.
//
// Of the environment it reads OMP_NUM_THREADS, OMP_THREAD_LIMIT, OMP_MAX_ACTIVE_LEVELS, of which 0 leaves one thread, and
// OMP_WAIT_POLICY: active spins for ever, passive sleeps at once.
#define _GNU_SOURCE
#include "Team.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define PAUSE() _mm_pause()
#define CONTROL_WORD() _mm_getcsr()
#define SET_CONTROL_WORD(word) _mm_setcsr(word)
#else
#define PAUSE() ((void)0)
#define CONTROL_WORD() 0u
#define SET_CONTROL_WORD(word) ((void)(word))
#endif

// The bits of the control word that say which exceptions were raised.
enum { exceptions = 0x3f };

// What threads write often lies on cache lines of its own.
#define APART __attribute__((aligned(64)))

typedef struct team team;

typedef struct {
  APART _Atomic int has_begun;  // its part of the region that runs
  _Atomic int core;             // where it last ran; -1 before that, and once it is sent away
  _Atomic pid_t id;
  team *team;
  int number;
  pthread_t thread;
} worker;

struct team {
  APART _Atomic uint32_t region;     // counts up with each
  APART _Atomic uint32_t remaining;  // parts that workers have not finished
  APART _Atomic uint32_t sleepers, caller_sleeps;
  APART _Atomic uint32_t arrived, barrier, barrier_sleepers;
  // What the region is: written before `region` changes.
  APART void (*body)(void *);
  void *context;
  int count;
  unsigned control_word;
  _Atomic unsigned raised;  // by workers
  _Atomic int is_closed;
  int size;  // the calling thread included
  worker **workers;
};

static _Thread_local team *own_team;           // of a thread that has called
static _Thread_local team *current;            // while a region runs
static _Thread_local int own_number, own_count = 1, wanted;

static pthread_once_t is_set_up = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static int default_threads, thread_limit;
static uint64_t spin;  // nanoseconds
static const uint64_t turn = 500000;

static int number_in_environment(const char *name, int otherwise) {
  const char *text = getenv(name);
  if (!text) return otherwise;
  char *end;
  long number = strtol(text, &end, 10);
  return end != text && number > 0 && number <= 1 << 20 ? (int)number : otherwise;
}

static void close_team(void *opaque);

static void set_up(void) {
  cpu_set_t cores;
  int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : (int)sysconf(_SC_NPROCESSORS_ONLN);
  thread_limit = number_in_environment("OMP_THREAD_LIMIT", 1 << 20);
  const char *levels = getenv("OMP_MAX_ACTIVE_LEVELS");
  if (levels && !strcmp(levels, "0")) thread_limit = 1;
  default_threads = number_in_environment("OMP_NUM_THREADS", count < 1 ? 1 : count);
  const char *policy = getenv("OMP_WAIT_POLICY");
  spin = 200000;
  if (policy && !strcasecmp(policy, "passive")) spin = 0;
  if (policy && !strcasecmp(policy, "active")) spin = UINT64_MAX;
  pthread_key_create(&at_thread_end, close_team);
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}
static void wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0); }

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Waits while a word has a value; sleeping after a while, which `sleeps` tells whoever changes it.
static void wait_while(_Atomic uint32_t *word, uint32_t value, _Atomic uint32_t *sleeps) {
  uint64_t begun = 0;
  while (atomic_load_explicit(word, memory_order_acquire) == value) {
    for (int i = 0; i < 32; i++) {
      PAUSE();
      if (atomic_load_explicit(word, memory_order_acquire) != value) return;
    }
    uint64_t time = now();
    if (!begun) begun = time;
    if (time - begun < spin) continue;
    // Whoever changes the word looks for sleepers after it, and the system looks at the word before it sleeps.
    atomic_fetch_add(sleeps, 1);
    sleep_while(word, value);
    atomic_fetch_sub(sleeps, 1);
  }
}

static void run_part(team *team, int number) {
  current = team;
  own_number = number;
  own_count = team->count;
  team->body(team->context);
  current = 0;
  own_number = 0;
  own_count = 1;
}

static int begins(worker *worker) {
  int no = 0;
  return atomic_compare_exchange_strong(&worker->has_begun, &no, 1);
}

static void *work(void *opaque) {
  worker *self = opaque;
  team *team = self->team;
  atomic_store(&self->id, (pid_t)syscall(SYS_gettid));
  uint64_t begun = now();
  for (uint32_t seen = 0;;) {
    wait_while(&team->region, seen, &team->sleepers);
    seen = atomic_load_explicit(&team->region, memory_order_acquire);
    if (atomic_load_explicit(&team->is_closed, memory_order_acquire)) return 0;
    atomic_store_explicit(&self->core, sched_getcpu(), memory_order_release);
    if (!begins(self)) continue;
    if (CONTROL_WORD() != team->control_word) SET_CONTROL_WORD(team->control_word);
    run_part(team, self->number);
    unsigned raised = CONTROL_WORD() & exceptions;
    if (raised & ~atomic_load_explicit(&team->raised, memory_order_relaxed)) atomic_fetch_or(&team->raised, raised);
    if (atomic_fetch_sub(&team->remaining, 1) == 1 && atomic_load(&team->caller_sleeps)) wake(&team->remaining);
    if (now() - begun > turn) {
      sched_yield();
      begun = now();
    }
  }
}

// Sends workers that last ran on the calling thread's core to the others that it may use.
static void part_from_workers(team *team, int count) {
  int core = sched_getcpu();
  for (int i = 1; i < count && core >= 0; i++) {
    worker *worker = team->workers[i];
    if (atomic_load_explicit(&worker->core, memory_order_acquire) != core) continue;
    atomic_store(&worker->core, -1);
    cpu_set_t others;
    // Of more cores than the set holds, or with none left, nothing changes.
    if (core >= CPU_SETSIZE || sched_getaffinity(0, sizeof(others), &others)) return;
    CPU_CLR(core, &others);
    sched_setaffinity(worker->id, sizeof(others), &others);
  }
}

static void next_region(team *team) {
  atomic_fetch_add(&team->region, 1);
  if (atomic_load(&team->sleepers)) wake(&team->region);
}

static void close_team(void *opaque) {
  team *team = opaque;
  atomic_store(&team->is_closed, 1);
  next_region(team);
  for (int i = 1; i < team->size; i++) {
    pthread_join(team->workers[i]->thread, 0);
    free(team->workers[i]);
  }
  free(team->workers);
  free(team);
}

// The calling thread's team, of so many threads or of as many as there can be; NULL where it is alone.
static team *team_of(int count) {
  if (!own_team) {
    if (posix_memalign((void **)&own_team, 64, sizeof(team))) return own_team = 0;
    memset(own_team, 0, sizeof(team));
    own_team->size = 1;
    pthread_setspecific(at_thread_end, own_team);
  }
  team *team = own_team;
  if (team->size < count) {
    worker **workers = realloc(team->workers, (size_t)count * sizeof(worker *));
    if (workers) team->workers = workers;
    sigset_t all, before;
    sigfillset(&all);
    // Signals are for the threads that the program knows.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers && team->size < count) {
      worker *made;
      if (posix_memalign((void **)&made, 64, sizeof(worker))) break;
      *made = (worker){.has_begun = 1, .core = -1, .team = team, .number = team->size};
      if (pthread_create(&made->thread, 0, work, made)) {
        free(made);
        break;
      }
      workers[team->size++] = made;
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
  }
  return team->size > 1 ? team : 0;
}

int omp_get_thread_num(void) { return own_number; }
int omp_get_num_threads(void) { return own_count; }
int omp_in_parallel(void) { return own_count > 1; }
void omp_set_num_threads(int count) { wanted = count; }
int omp_get_max_threads(void) {
  pthread_once(&is_set_up, set_up);
  int count = wanted > 0 ? wanted : default_threads;
  return count < thread_limit ? count : thread_limit;
}

void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags) {
  (void)flags;
  int most = omp_get_max_threads();
  int count = threads && threads < (unsigned)thread_limit ? (int)threads : threads ? thread_limit : most;
  team *team = count > 1 && !current ? team_of(count) : 0;
  if (!team) {
    // Alone, or within a region, which then has a thread of its own for each part.
    struct { struct team *current; int number, count; } outer = {current, own_number, own_count};
    own_number = 0;
    own_count = 1;
    body(context);
    own_number = outer.number;
    own_count = outer.count;
    return;
  }
  if (count > team->size) count = team->size;
  team->body = body;
  team->context = context;
  team->count = count;
  team->control_word = CONTROL_WORD();
  atomic_store_explicit(&team->raised, 0, memory_order_relaxed);
  atomic_store_explicit(&team->remaining, (uint32_t)count - 1, memory_order_relaxed);
  for (int i = 1; i < count; i++) atomic_store_explicit(&team->workers[i]->has_begun, 0, memory_order_release);
  part_from_workers(team, count);
  next_region(team);
  run_part(team, 0);
  for (int i = 1; i < count; i++) {
    if (begins(team->workers[i])) {
      run_part(team, i);
      atomic_fetch_sub(&team->remaining, 1);
    }
  }
  for (uint32_t left; (left = atomic_load_explicit(&team->remaining, memory_order_acquire)) > 0;)
    wait_while(&team->remaining, left, &team->caller_sleeps);
  unsigned own = CONTROL_WORD(), raised = atomic_load_explicit(&team->raised, memory_order_relaxed);
  if (raised & ~own) SET_CONTROL_WORD(own | raised);
}

void GOMP_barrier(void) {
  team *team = current;
  if (!team || own_count == 1) return;
  uint32_t seen = atomic_load(&team->barrier);
  if (atomic_fetch_add(&team->arrived, 1) + 1 < (uint32_t)team->count) {
    wait_while(&team->barrier, seen, &team->barrier_sleepers);
    return;
  }
  atomic_store(&team->arrived, 0);
  atomic_fetch_add(&team->barrier, 1);
  if (atomic_load(&team->barrier_sleepers)) wake(&team->barrier);
}
