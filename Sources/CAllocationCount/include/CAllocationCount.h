// Counts what a program takes from the C library's heap. Linked into the benchmark alone: its malloc stands before the library's.
#pragma once

#include <stdint.h>

// Calls of malloc, calloc, realloc and the aligned forms since the program began, from all threads. Always 0 where the C library is
// not glibc.
uint64_t allocation_count(void);
