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
