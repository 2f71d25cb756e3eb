/* Hidra's client for C: the daemon, what it has, and what happened in it. Part of hidra.h, whose rules on ownership and errors apply. */
#ifndef HIDRA_REGISTRY_H
#define HIDRA_REGISTRY_H

#include "hidra_client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hidra_job {
    const char *id, *kind, *subject, *client;
    double elapsed_seconds;
    hidra_progress progress;
} hidra_job;

typedef struct hidra_loaded_encoder {
    const char *name, *precision;
    uint64_t weight_bytes;
    double idle_seconds;
} hidra_loaded_encoder;

typedef struct hidra_state {
    const char *daemon_version, *home, *kernels;
    uint32_t process_id, threads, clients, waiting_interactive, waiting_training;
    double uptime_seconds;
    uint64_t resident_bytes, feature_cache_bytes, feature_cache_rows;
    size_t encoder_count;
    const hidra_loaded_encoder *encoders;
    size_t job_count;
    const hidra_job *jobs;
} hidra_state;

hidra_code hidra_status(hidra_client *client, const hidra_call *call, hidra_state **state, hidra_error **error);

typedef struct hidra_encoder {
    const char *name, *architecture, *pooling, *source, *revision, *licence, *digest, *modality, *precision;
    uint64_t parameters, bytes;
    uint32_t width, layers, max_tokens;
    double created; /* seconds since 1970 */
    size_t tap_count;
    const char *const *taps;
} hidra_encoder;

typedef enum hidra_form {
    HIDRA_ANY_FORM,
    HIDRA_POOLED, /* one vector [width] */
    HIDRA_STATES, /* hidden states [tokens, width] */
} hidra_form;

/* What a head reads through one input of its network. In a request NULL and 0 mean: `name` the graph's inputs in their order,
 * `encoder`, `tap` and `column` those of the training, `form` as the graph declares it. */
typedef struct hidra_head_input {
    const char *name, *encoder, *tap, *column;
    hidra_form form;
} hidra_head_input;

typedef struct hidra_head {
    const char *name, *encoder, *task, *kind, *digest, *run, *tap, *modality;
    size_t input_count;
    const hidra_head_input *inputs; /* its columns, of which a prediction needs a value each, are the different ones here */
    bool is_preprocessed, is_postprocessed; /* it can only be asked while a client serves it: hidra_serve */
    const char *served_by;                  /* the client that trained it so */
    uint64_t parameters;
    double created;
    size_t label_count;
    const char *const *labels;
    size_t metric_count;
    const hidra_metric *metrics; /* of the test rows */
} hidra_head;

typedef struct hidra_registry {
    size_t encoder_count;
    const hidra_encoder *encoders;
    size_t head_count;
    const hidra_head *heads;
} hidra_registry;

/* All encoders and heads, by name. */
hidra_code hidra_list(hidra_client *client, const hidra_call *call, hidra_registry **registry, hidra_error **error);

typedef struct hidra_names {
    size_t count;
    const char *const *names;
    uint64_t bytes_freed;
} hidra_names;

/* Removes an encoder or a head. An encoder with heads goes only `with_heads`; otherwise HIDRA_CONFLICT names them. `removed` may
 * be NULL. */
hidra_code hidra_remove(
    hidra_client *client, const hidra_call *call, const char *name, bool with_heads, hidra_names **removed,
    hidra_error **error);

/* Registers an encoder: a catalogue name ("minilm"), "hf:ORG/NAME[@REVISION]", or the absolute path of a folder. `name` NULL: the
 * source's own. Harmless when it is there. */
hidra_code hidra_pull(
    hidra_client *client, const hidra_call *call, const char *source, const char *name, hidra_encoder **encoder,
    hidra_error **error);

/* What happened */

typedef struct hidra_event {
    uint64_t sequence;           /* from 1, without gaps, for one daemon process */
    double time;                 /* seconds since 1970 */
    const char *name, *subject;  /* "head.registered" and the head, ... */
    size_t value_count;
    const hidra_detail *values;
} hidra_event;

typedef struct hidra_events {
    const char *epoch;           /* identifies the daemon process: another one, another count */
    uint64_t oldest, newest;     /* what lies before `oldest` is gone */
    size_t count;
    const hidra_event *events;
} hidra_events;

/* What has happened in the daemon from event number `from` on (0: all that it keeps). To follow it, ask again from the last number
 * on. */
hidra_code hidra_replay(
    hidra_client *client, const hidra_call *call, uint64_t from, hidra_events **events, hidra_error **error);

#ifdef __cplusplus
}
#endif

#endif
