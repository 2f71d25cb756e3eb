/* Tensors of messages, by name. */
#include <string.h>

#include "calls.h"

const void *hi_words(const void *words, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    uint32_t *word = (uint32_t *)(uintptr_t)words;
    for (size_t i = 0; i < count; i++) word[i] = __builtin_bswap32(word[i]);
#else
    (void)count;
#endif
    return words;
}

const void *hi_words_sent(struct arena *arena, const void *words, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    void *copy = hi_arena_array(arena, count, 4);
    if (copy != NULL) hi_words(memcpy(copy, words, count * 4), count);
    return copy;
#else
    (void)arena;
    (void)count;
    return words;
#endif
}

const Hidra__V1__TensorFrame *hi_tensor_named(
    const struct message *message, const char *name, Hidra__V1__DataType type, size_t *index) {
    for (size_t i = 0; i < message->envelope->n_tensors; i++) {
        const Hidra__V1__TensorFrame *tensor = message->envelope->tensors[i];
        if (strcmp(tensor->name, name) != 0 || tensor->type != type) continue;
        *index = i;
        return tensor;
    }
    return NULL;
}
