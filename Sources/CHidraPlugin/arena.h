/* Memory that is freed as a whole: a message with all it points to, a result with the message it shows. */
#ifndef HIDRA_ARENA_H
#define HIDRA_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <protobuf-c/protobuf-c.h>

struct arena {
    struct block *blocks;
    bool exhausted; /* an allocation has failed; what was asked for since may be missing */
};

/* Zeroed, aligned for anything; NULL when memory is exhausted, then or ever before. */
void *hi_arena_allocate(struct arena *arena, size_t size);
/* As above, for `count` elements; NULL, too, for none. */
void *hi_arena_array(struct arena *arena, size_t count, size_t size);
char *hi_arena_copy(struct arena *arena, const char *text);
void hi_arena_free(struct arena *arena);

/* Has protobuf-c allocate in the arena. Lives no longer than it. */
ProtobufCAllocator hi_arena_allocator(struct arena *arena);

/* What `hidra_free` frees: `size` zeroed bytes, with an arena of their own that takes over `contents` (may be NULL). NULL when
 * memory is exhausted; `contents` is then untouched. */
void *hi_owned_create(struct arena *contents, size_t size);
struct arena *hi_owned_arena(void *owned);

#endif
