#include "CAllocationCount.h"

#include <stddef.h>

#if defined(__linux__)
#include <errno.h>
#include <features.h>
#endif

#if defined(__GLIBC__)
static uint64_t calls;

// The library's own functions, under the names it keeps for programs that put theirs in front.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void count(void) { __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

uint64_t allocation_count(void) { return __atomic_load_n(&calls, __ATOMIC_RELAXED); }
#else
uint64_t allocation_count(void) { return 0; }
#endif
