#define _GNU_SOURCE
#include "CMPI.h"
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

// In Open MPI a communicator, a type, an operation and a request are each a pointer to a structure; the predefined ones
// are the addresses of exported objects. MPI_IN_PLACE is 1, MPI_STATUS_IGNORE is 0, MPI_THREAD_FUNNELED is 1.
typedef void *handle;
#define IN_PLACE ((const void *)1)
#define THREAD_FUNNELED 1

static struct {
  int (*Init_thread)(int *, char ***, int, int *);
  int (*Comm_rank)(handle, int *);
  int (*Comm_size)(handle, int *);
  int (*Comm_dup)(handle, handle *);
  int (*Iallreduce)(const void *, void *, int, handle, handle, handle, handle *);
  int (*Ibcast)(void *, int, handle, int, handle, handle *);
  int (*Ibarrier)(handle, handle *);
  int (*Test)(handle *, int *, void *);
  int (*Abort)(handle, int);
  int (*Finalize)(void);
  handle world, floats, doubles, bytes, sum;
  handle farewell;
} mpi;

int cmpi_join(int32_t *rank, int32_t *size, char message[CMPI_MESSAGE]) {
  // Its plug-ins look for its names among all that are loaded.
  void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    snprintf(message, CMPI_MESSAGE, "Open MPI's library cannot be loaded: %s", dlerror());
    return 1;
  }
  const struct { const char *name; void *place; } wanted[] = {
    {"MPI_Init_thread", &mpi.Init_thread}, {"MPI_Comm_rank", &mpi.Comm_rank},   {"MPI_Comm_size", &mpi.Comm_size},
    {"MPI_Comm_dup", &mpi.Comm_dup},       {"MPI_Iallreduce", &mpi.Iallreduce}, {"MPI_Ibcast", &mpi.Ibcast},
    {"MPI_Ibarrier", &mpi.Ibarrier},       {"MPI_Test", &mpi.Test},             {"MPI_Abort", &mpi.Abort},
    {"MPI_Finalize", &mpi.Finalize},       {"ompi_mpi_comm_world", &mpi.world}, {"ompi_mpi_float", &mpi.floats},
    {"ompi_mpi_double", &mpi.doubles},     {"ompi_mpi_byte", &mpi.bytes},       {"ompi_mpi_op_sum", &mpi.sum},
  };
  for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    void *found = dlsym(library, wanted[i].name);
    if (!found) {
      snprintf(message, CMPI_MESSAGE, "libmpi.so.40 has no '%s': it is not Open MPI 4 or 5", wanted[i].name);
      return 1;
    }
    *(void **)wanted[i].place = found;
  }
  int provided = 0, own = 0, all = 0;
  int status = mpi.Init_thread(0, 0, THREAD_FUNNELED, &provided);
  if (status == 0 && provided < THREAD_FUNNELED) {
    snprintf(message, CMPI_MESSAGE, "this build of Open MPI allows no threads at all");
    return 1;
  }
  if (status == 0) status = mpi.Comm_rank(mpi.world, &own);
  if (status == 0) status = mpi.Comm_size(mpi.world, &all);
  if (status == 0) status = mpi.Comm_dup(mpi.world, &mpi.farewell);
  if (status != 0) {
    snprintf(message, CMPI_MESSAGE, "Open MPI does not start: error %d", status);
    return 1;
  }
  *rank = own;
  *size = all;
  return 0;
}

int cmpi_start_sum(void *numbers, int32_t count, int type, cmpi_request *request) {
  handle kind = type == cmpi_float ? mpi.floats : mpi.doubles;
  return mpi.Iallreduce(IN_PLACE, numbers, count, kind, mpi.sum, mpi.world, request);
}

int cmpi_start_broadcast(void *bytes, int32_t count, cmpi_request *request) {
  return mpi.Ibcast(bytes, count, mpi.bytes, 0, mpi.world, request);
}

int cmpi_start_farewell(cmpi_request *request) { return mpi.Ibarrier(mpi.farewell, request); }

int cmpi_test(cmpi_request *request, int *is_done) { return mpi.Test(request, is_done, 0); }

void cmpi_abort(int status) { mpi.Abort(mpi.world, status); }

int cmpi_leave(void) { return mpi.Finalize(); }

int32_t cmpi_usable_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cmpi_all_processors();
  return CPU_COUNT(&set);
}

int32_t cmpi_all_processors(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : (int32_t)count;
}
