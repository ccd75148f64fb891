// Open MPI, loaded while the program runs: who has no MPI needs none to build or to run Reprise, and a process that
// mpirun did not start never looks for it.
//
// Open MPI 4 and 5 (libmpi.so.40). Another MPI's handles are other types, so another library is not taken.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of a message, with the zero at its end.
#define CMPI_MESSAGE 512

typedef void *cmpi_request;
enum { cmpi_float = 0, cmpi_double = 1 };

// Loads the library and joins the other processes. 0 where it went well, else a message. All other calls come from the
// thread that made this one (MPI_THREAD_FUNNELED). Each returns 0, or MPI's own error code.
int cmpi_join(int32_t *rank, int32_t *size, char message[CMPI_MESSAGE]);

// Each starts what all processes take part in, in the same order; `cmpi_test` tells when it is done.
int cmpi_start_sum(void *numbers, int32_t count, int type, cmpi_request *request);  // in place
int cmpi_start_broadcast(void *bytes, int32_t count, cmpi_request *request);        // from rank 0
int cmpi_start_farewell(cmpi_request *request);  // a barrier that is apart from all of those above
int cmpi_test(cmpi_request *request, int *is_done);

// Ends all processes.
void cmpi_abort(int status);
int cmpi_leave(void);

// How many processors the calling process may run on, and how many there are.
int32_t cmpi_usable_processors(void);
int32_t cmpi_all_processors(void);

#ifdef __cplusplus
}
#endif
