// Counts what is taken from the heap, in the test program alone: its malloc stands before glibc's.
#pragma once
#include <stdint.h>

typedef struct {
  // By Swift and by our own C; and by oneDNN and the C++ library below it.
  int64_t ours, libraries;
  // Bytes of the largest, whoever took it.
  int64_t largest;
  // Names a place that took memory of ours: object and symbol.
  char example[256];
} allocation_count;

void allocations_start(void);
// What all threads took since the start.
allocation_count allocations_stop(void);
