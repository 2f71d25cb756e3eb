#include "CKernels.h"

#include <pthread.h>
#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

void ck_return_free_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void release_scratch(void *scratch) {
    free(((ck_scratch *)scratch)->memory);
    free(scratch);
}

static void make_scratch_key(void) {
    if (pthread_key_create(&scratch_key, release_scratch) != 0) abort();
}

ck_scratch *ck_thread_scratch(size_t count) {
    pthread_once(&scratch_once, make_scratch_key);
    ck_scratch *scratch = pthread_getspecific(scratch_key);
    if (!scratch) {
        scratch = calloc(1, sizeof *scratch);
        if (!scratch || pthread_setspecific(scratch_key, scratch) != 0) abort();
    }
    if (scratch->capacity < count) {
        free(scratch->memory);
        if (posix_memalign((void **)&scratch->memory, 64, count * sizeof(float)) != 0) abort();
        scratch->capacity = count;
        scratch->owner = 0;
    }
    return scratch;
}
