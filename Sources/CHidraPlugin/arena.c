#include "arena.h"

#include <stdlib.h>
#include <string.h>

#include "hidra.h"

/* The members behind the header are as aligned as malloc's. */
struct block {
    struct block *next;
    max_align_t contents[];
};

struct owned {
    struct arena arena;
    max_align_t contents[];
};

void *hi_arena_allocate(struct arena *arena, size_t size) {
    if (arena->exhausted) return NULL;
    struct block *block = size > SIZE_MAX - sizeof *block ? NULL : calloc(1, sizeof *block + size);
    if (block == NULL) {
        arena->exhausted = true;
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->contents;
}

void *hi_arena_array(struct arena *arena, size_t count, size_t size) {
    if (count == 0) return NULL;
    return hi_arena_allocate(arena, count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

char *hi_arena_copy(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = hi_arena_allocate(arena, size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void hi_arena_free(struct arena *arena) {
    while (arena->blocks != NULL) {
        struct block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

static void *allocate(void *arena, size_t size) { return hi_arena_allocate(arena, size); }

/* Goes with the arena. */
static void release(void *arena, void *pointer) {
    (void)arena;
    (void)pointer;
}

ProtobufCAllocator hi_arena_allocator(struct arena *arena) {
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}

void *hi_owned_create(struct arena *contents, size_t size) {
    struct owned *owned = calloc(1, sizeof *owned + size);
    if (owned == NULL) return NULL;
    if (contents != NULL) {
        owned->arena = *contents;
        *contents = (struct arena){0};
    }
    return owned->contents;
}

static struct owned *owner(void *result) {
    return (struct owned *)(void *)((char *)result - offsetof(struct owned, contents));
}

struct arena *hi_owned_arena(void *result) { return &owner(result)->arena; }

void hidra_free(const void *result) {
    if (result == NULL) return;
    /* Const for the caller, who must not write there; the memory is ours. */
    struct owned *owned = owner((void *)(uintptr_t)result);
    hi_arena_free(&owned->arena);
    free(owned);
}
