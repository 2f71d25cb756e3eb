/* What the calls share: a client, and how parts of messages become parts of results. A result shows the message it came with:
 * its strings stay where protobuf-c has put them. */
#ifndef HIDRA_CALLS_H
#define HIDRA_CALLS_H

#include "arena.h"
#include "connection.h"
#include "hidra.h"

struct hidra_client {
    struct connection *connection;
    hidra_welcome *welcome;
    bool takes_token; /* its home is the environment's, and so is the plugin's token there */
};

/* What requests for heads share. */
void hi_kind_set(
    Hidra__V1__HeadKind *kind, const char *name, uint32_t hidden, hidra_optional dropout, hidra_bytes graph);
/* NULL for none, or when memory is exhausted. */
Hidra__V1__HeadInput **hi_inputs_set(struct arena *arena, const hidra_head_input *inputs, size_t count);
hidra_code hi_check_inputs(const hidra_head_input *inputs, size_t count, hidra_error **error);
hidra_head_input *hi_inputs_of(struct arena *arena, Hidra__V1__HeadInput **received, size_t count);

/* Rows `first` and `count` after it of columns. HIDRA_OUT_OF_MEMORY shows in the arena. */
Hidra__V1__Column **hi_columns_set(
    struct arena *arena, const hidra_column *columns, size_t column_count, size_t first, size_t count);
/* HIDRA_INVALID_ARGUMENT for a column without values, or for a text that is none; with "row" (from 1) and "column". */
hidra_code hi_check_columns(const hidra_column *columns, size_t column_count, size_t rows, hidra_error **error);

/* HIDRA_LIMIT_EXCEEDED for more than `most` inputs, HIDRA_INVALID_ARGUMENT for what is none. */
hidra_code hi_check_asked(const hidra_inputs *inputs, uint32_t most, hidra_error **error);
/* protobuf-c's list of the images; NULL when there are none, or no memory. */
ProtobufCBinaryData *hi_images_set(struct arena *arena, const hidra_inputs *inputs);

/* Received numbers of four bytes, little-endian as they travel, in this machine's order: in place. */
const void *hi_words(const void *words, size_t count);
/* The other way, in the arena where the order differs. NULL when memory is exhausted. */
const void *hi_words_sent(struct arena *arena, const void *words, size_t count);
/* The tensor of that name and type, or NULL; with `message->tensors[*index]`. */
const Hidra__V1__TensorFrame *hi_tensor_named(
    const struct message *message, const char *name, Hidra__V1__DataType type, size_t *index);

#define SET_OPTIONAL(target, PREFIX, FIELD, field, optional)                                \
    if ((optional).set) {                                                                   \
        (target)->field##_presence_case = HIDRA__V1__##PREFIX##__##FIELD##_PRESENCE_##FIELD; \
        (target)->field = (optional).value;                                                 \
    }

hidra_progress hi_progress_of(struct arena *arena, const Hidra__V1__Progress *progress);
hidra_encoder hi_encoder_of(const Hidra__V1__Encoder *encoder);
hidra_head hi_head_of(struct arena *arena, const Hidra__V1__Head *head);

/* Fills `metrics` and `metric_count` of a result from a map of a message. */
#define SET_METRICS(result, memory, count, entries)                                                   \
    do {                                                                                              \
        hidra_metric *metrics_ = hi_arena_array((memory), (count), sizeof *metrics_);                    \
        for (size_t i_ = 0; metrics_ != NULL && i_ < (count); i_++)                                   \
            metrics_[i_] = (hidra_metric){(entries)[i_]->key, (entries)[i_]->value};                  \
        (result)->metrics = metrics_;                                                                 \
        (result)->metric_count = metrics_ == NULL ? 0 : (count);                                      \
    } while (0)

/* A text of a request. protobuf-c does not write there. */
static inline char *text(const char *given) { return (char *)(uintptr_t)(given == NULL ? "" : given); }
static inline char **texts(const char *const *given) { return (char **)(uintptr_t)given; }
static inline const char *const *names(char **received) { return (const char *const *)received; }

/* HIDRA_INVALID_ARGUMENT when a required text is missing or any is no UTF-8. `what` names it in the message. */
hidra_code hi_check_text(const char *given, const char *what, bool is_required, hidra_error **error);

/* Sets `*result` to `size` zeroed bytes that own the reply's memory; frees the reply. */
hidra_code hi_result_create(void *result, size_t size, struct message *reply, hidra_error **error);

/* Ends a call: HIDRA_OK, or HIDRA_OUT_OF_MEMORY, with `*result` freed and NULL, when an allocation for it has failed. */
hidra_code hi_result_finish(void *result, hidra_error **error);

#endif
