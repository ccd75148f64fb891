#include <cblas.h>
// Real routines alone are used, so complex numbers need no type that Swift knows.
#define lapack_complex_float float
#define lapack_complex_double double
#include <lapacke.h>
