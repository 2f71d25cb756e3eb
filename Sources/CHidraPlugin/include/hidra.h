/* Hidra's client for C: talks to `hidrad`, the daemon of the Hidra workbench, over its protocol (proto/README.md).
 *
 *     hidra_client *client = NULL;
 *     hidra_error *error = NULL;
 *     hidra_options options = {.client = "my-program 1.0", .start = true};
 *     if (hidra_connect(&options, &client, &error) != HIDRA_OK) { fputs(error->message, stderr); hidra_free(error); }
 *     ...
 *     hidra_goodbye(client);
 *
 * Ownership. What a function takes stays the caller's; it is copied, or read until the call returns. What a function gives
 * (through a pointer to a pointer: results and errors) is the caller's and goes, whole, with one `hidra_free`; every pointer
 * inside it lives as long as it. Strings are UTF-8, end with a zero, and are never NULL in results. In what the caller fills in,
 * NULL and zero mean the default: begin with `= {0}` or name the members that matter.
 *
 * Threads. Any number of threads may use one client at a time; calls run side by side. A call blocks its thread until the
 * daemon has answered. Progress functions run on the thread of their call, without a lock: they may use the client.
 * `hidra_goodbye` must be the last use, when no call is open. A client has one thread of its own, which blocks all signals.
 * The child of a fork must not use the client, but connect anew. There is no global state.
 *
 * Errors. Every call returns a code and, where the caller asks, an error with a message that says what to do. `error` may be
 * NULL. On failure the result is NULL. No call waits for ever: see `hidra_call`.
 */
#ifndef HIDRA_H
#define HIDRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors */

/* The codes of the protocol. One that this version does not know counts as HIDRA_INTERNAL. */
typedef enum hidra_code {
    HIDRA_OK = 0,
    HIDRA_INTERNAL,             /* a fault of Hidra's own, or a peer that is no hidrad */
    HIDRA_INVALID_ARGUMENT,     /* makes no sense whatever the data */
    HIDRA_NOT_FOUND,            /* no encoder, head, run, data set or column of that name */
    HIDRA_INVALID_DATA,         /* rows that cannot be used */
    HIDRA_ALREADY_EXISTS,       /* the name is taken */
    HIDRA_CONFLICT,             /* something else is using it */
    HIDRA_ALREADY_RUNNING,      /* another daemon holds the home */
    HIDRA_UNAVAILABLE,          /* no daemon, or it is gone: connect again */
    HIDRA_INCOMPATIBLE_VERSION, /* no protocol version in common */
    HIDRA_PERMISSION_DENIED,    /* somebody else may listen there */
    HIDRA_TIMEOUT,              /* no sign of life, or the call's own time is over */
    HIDRA_CANCELLED,            /* someone asked for it to stop */
    HIDRA_INTERRUPTED,          /* the daemon is stopping */
    HIDRA_LIMIT_EXCEEDED,       /* larger than the daemon takes */
    HIDRA_DISK_FULL,
    HIDRA_CORRUPT,              /* a file is damaged */
    HIDRA_UNSUPPORTED,          /* this daemon cannot do it */
    HIDRA_OUT_OF_MEMORY,        /* of this process; such a failure may come without an error */
} hidra_code;

/* The code's name in the protocol, e.g. "not_found". Static. */
const char *hidra_code_name(hidra_code code);

typedef struct hidra_detail {
    const char *key, *value;
} hidra_detail;

typedef struct hidra_error {
    hidra_code code;
    const char *message;         /* what went wrong and what to do next, for people */
    size_t detail_count;
    const hidra_detail *details; /* for programs: "suggestion", "row", "limit", ... */
} hidra_error;

/* The value of a detail, or NULL. `error` may be NULL. */
const char *hidra_error_detail(const hidra_error *error, const char *key);

/* Frees a result or an error, and all it points to. NULL is allowed. */
void hidra_free(const void *result);

/* Connections */

typedef struct hidra_client hidra_client;

typedef struct hidra_options {
    const char *home;   /* NULL: $HIDRA_HOME, or $XDG_DATA_HOME/hidra, or ~/.local/share/hidra */
    const char *client; /* name and version of the program, for `hidra ps`; NULL: "C client" */
    bool start;         /* start hidrad where none listens; it outlives this process */
    const char *daemon; /* path of hidrad; NULL: $HIDRA_DAEMON, or beside this executable, or in PATH */
    double timeout;     /* seconds for all of connecting; 0: 10 */
    double silence;     /* seconds the daemon may owe a sign of life before calls fail with HIDRA_TIMEOUT; 0: 30 */
    uint32_t heartbeat; /* seconds; a promise to be silent no longer: the daemon takes for lost who is for three times as long; 0: 10 */
} hidra_options;

/* Connects and says hello. Where `home` is NULL it says also HIDRA_PLUGIN_TOKEN of the environment, by which a daemon knows a plugin
 * that it started. The client's own thread sends heartbeats all the time, whatever the program does: every 5 seconds, or sooner
 * where `silence`, the promise or the daemon asks for it. A daemon that is started here is this process's child: it is reaped
 * when it ends before `hidra_goodbye`.
 *
 * HIDRA_UNAVAILABLE: nobody listens, or what was started ended (the message has the end of its log).
 * HIDRA_INCOMPATIBLE_VERSION: the daemon does not speak version 1. HIDRA_PERMISSION_DENIED: its directory is open to others. */
hidra_code hidra_connect(const hidra_options *options, hidra_client **client, hidra_error **error);

/* Says goodbye, closes the connection and frees the client. Its rows are dropped; heads and encoders stay. NULL is allowed.
 * Not from a progress function. */
void hidra_goodbye(hidra_client *client);

typedef struct hidra_welcome {
    uint32_t protocol, protocol_min, protocol_max; /* spoken here; the daemon's range */
    const char *daemon_version;
    uint32_t process_id;
    uint64_t message_bytes, data_rows, data_bytes, blob_bytes; /* limits; the protocol's defaults where it did not say */
    uint32_t texts_per_request;
    size_t capability_count;
    const char *const *capabilities;
} hidra_welcome;

/* What the daemon said of itself. The client's own: lives as long as it. */
const hidra_welcome *hidra_greeting(const hidra_client *client);

bool hidra_has_capability(const hidra_client *client, const char *name);

/* Calls */

typedef struct hidra_metric {
    const char *name;
    double value;
} hidra_metric;

/* The value of a metric by its name, or NaN. */
double hidra_metric_value(const hidra_metric *metrics, size_t count, const char *name);

typedef struct hidra_progress {
    const char *job, *phase, *unit;
    uint64_t done, total; /* total 0: not known */
    const char *note;     /* a sentence for the user; empty in most */
    size_t metric_count;
    const hidra_metric *metrics;
} hidra_progress;

/* How one call is made. NULL, or all zero: no limit of time, no progress. Whatever is said here, a call ends when the
 * connection is lost or the daemon owes a sign of life for `hidra_options.silence`. */
typedef struct hidra_call {
    double timeout; /* seconds after which the call fails with HIDRA_TIMEOUT and the daemon is told to stop; 0: none */
    uint64_t tag;   /* for `hidra_cancel` */
    /* Called for each report, on the call's thread; one that is slow misses reports, but none with a note. `progress` lives
     * until it returns. Other than 0 cancels the call. */
    int (*progress)(const hidra_progress *progress, void *context);
    void *context;
} hidra_call;

/* Cancels the open calls with this tag, 0: all of the client. From any thread, or from a progress function. Returns how many
 * there were. They end with HIDRA_CANCELLED, or with their result if that was on its way. A training that is cancelled leaves
 * no head. */
size_t hidra_cancel(hidra_client *client, uint64_t tag);

/* Cancels a job by its id, whoever started it. `cancelled` (may be NULL): whether there was something to cancel. */
hidra_code hidra_cancel_job(
    hidra_client *client, const hidra_call *call, const char *job, bool *cancelled, hidra_error **error);

/* Waits until the connection is over, which is what a plugin does when its work is done: HIDRA_UNAVAILABLE when the daemon has said
 * goodbye or is gone. HIDRA_TIMEOUT after `call->timeout`, HIDRA_CANCELLED by `hidra_cancel`. Never HIDRA_OK. */
hidra_code hidra_wait(hidra_client *client, const hidra_call *call, hidra_error **error);

/* The daemon and what it has */

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

/* Data sets */

typedef struct hidra_bytes {
    const void *data;
    size_t size;
} hidra_bytes;

/* One column: `texts` (labels and numbers are text too), or `blobs` (encoded files, e.g. images). */
typedef struct hidra_column {
    const char *name;
    const char *const *texts;
    const hidra_bytes *blobs;
} hidra_column;

/* Appends rows to a data set of this client, in messages of about 1 MiB; the first append makes it. The daemon holds it until
 * `hidra_drop_rows` or `hidra_goodbye`.
 *
 * first_row: how many rows were appended before; rows that are there already are skipped, so that an append can be repeated.
 * columns: the same names and kinds each time, each with `rows` values. `rows` 0 is HIDRA_INVALID_DATA.
 * A text that is no UTF-8, or a row above the daemon's limit, is refused before anything is sent, with details "row" (from 1) and
 * "column". */
hidra_code hidra_append_rows(
    hidra_client *client, const hidra_call *call, const char *data, uint64_t first_row, const hidra_column *columns,
    size_t column_count, size_t rows, hidra_error **error);

hidra_code hidra_drop_rows(hidra_client *client, const hidra_call *call, const char *data, hidra_error **error);

/* Heads */

typedef enum hidra_task { HIDRA_CLASSIFY = 1, HIDRA_MULTILABEL = 2, HIDRA_REGRESS = 3 } hidra_task;

/* A number for which 0 is no default. HIDRA_SET(0.0) says zero; what is not set is the default. */
typedef struct hidra_optional {
    bool set;
    double value;
} hidra_optional;

#define HIDRA_SET(number) {true, (number)}

/* A training, declared. What is NULL or zero is the daemon's default, given in brackets. */
typedef struct hidra_training {
    const char *head, *encoder, *data, *label_column; /* required */
    const char *input_column;     /* required without `inputs` */
    const hidra_head_input *inputs; /* of a head that reads several columns, encoders or taps: what each input reads */
    size_t input_count;
    hidra_task task;              /* [classify] */
    const char *test_data;        /* a data set with the same columns to measure on */
    double holdout;               /* share of the rows to measure on instead [none] */
    bool replace;                 /* replace a head of this name */
    const char *kind;             /* "linear", "mlp" or "graph" ["linear"] */
    uint32_t hidden;              /* of mlp [512] */
    hidra_optional dropout;       /* of mlp [0.3] */
    hidra_bytes graph;            /* of graph: an ONNX ModelProto of one input, [rows, width] or token states; [rows, outputs] out */
    const char *label_separator;  /* of multilabel ["|"] */
    const char *name_column, *tap, *precision;
    uint32_t epochs, batch_size, patience; /* [30, 64, 10] */
    double learning_rate;         /* [found by a range test] */
    uint64_t seed;                /* [0] the same seed and rows give the same bytes */
    hidra_optional weight_decay, warmup, validation, label_smoothing; /* [0.0001, 0.05, 0.1, 0.1] */
    bool class_weights;
    const struct hidra_callbacks *callbacks; /* what this program does in the daemon's place: hidra_callbacks.h */
    double call_deadline;         /* seconds the daemon waits for each of them [30] */
} hidra_training;

typedef struct hidra_class_report {
    const char *label;
    double precision, recall, f1;
    uint64_t support;
} hidra_class_report;

typedef struct hidra_confusion {
    const char *actual, *predicted;
    uint64_t count;
} hidra_confusion;

typedef struct hidra_evaluation {
    const char *head;
    uint64_t rows, truncated_rows;
    double seconds;
    size_t metric_count;
    const hidra_metric *metrics; /* classify: "accuracy", "macro_f1"; regress: "mae", "rmse", "r2"; ... */
    size_t class_count;
    const hidra_class_report *classes;
    size_t confusion_count;
    const hidra_confusion *confusions;
    size_t note_count;
    const char *const *notes;
} hidra_evaluation;

typedef struct hidra_trained {
    hidra_head head;
    const char *run;
    const hidra_evaluation *test; /* NULL when there were no rows to measure on */
    uint64_t train_rows, validation_rows, test_rows, cache_hits, cache_misses, truncated_rows, steps;
    double steps_per_second, extract_seconds, train_seconds, evaluate_seconds, total_seconds;
    double learning_rate, validation_score;
    uint32_t best_epoch;
    size_t note_count;
    const char *const *notes;     /* what the user should know */
} hidra_trained;

/* Trains a head on rows appended before. A training goes on when the connection is lost: cancel it before leaving. */
hidra_code hidra_train(
    hidra_client *client, const hidra_call *call, const hidra_training *training, hidra_trained **trained,
    hidra_error **error);

typedef struct hidra_measuring {
    const char *head, *data, *label_column; /* required */
    const char *input_column;               /* required without `input_columns` */
    const char *const *input_columns;       /* of a head that reads several: one for each, in its order */
    size_t input_column_count;
    const char *label_separator, *name_column, *precision;
} hidra_measuring;

/* Measures a head on labelled rows appended before. */
hidra_code hidra_evaluate(
    hidra_client *client, const hidra_call *call, const hidra_measuring *measuring, hidra_evaluation **evaluation,
    hidra_error **error);

/* A head as an ONNX model: features [rows, width] in, outputs before any softmax or sigmoid out. */
typedef struct hidra_model {
    const uint8_t *data;
    size_t size;
} hidra_model;

hidra_code hidra_export(
    hidra_client *client, const hidra_call *call, const char *head, hidra_model **model, hidra_error **error);

/* Answers */

/* `texts` or `images` (JPEG, PNG or WebP files), `count` of them, at most `hidra_welcome.texts_per_request`. For heads that read
 * several columns `columns` instead: one for each, in their order, of `count` values; the names do not matter. */
typedef struct hidra_inputs {
    const char *const *texts;
    const hidra_bytes *images;
    size_t count;
    const hidra_column *columns;
    size_t column_count;
} hidra_inputs;

typedef struct hidra_score {
    const char *label;
    double score; /* probability */
} hidra_score;

typedef struct hidra_answer {
    size_t label_count;
    const hidra_score *labels; /* best first */
    bool has_value;
    double value;              /* of a regression head */
} hidra_answer;

typedef struct hidra_prediction {
    size_t answer_count;         /* as many as heads; 0 when the input cannot be read */
    const hidra_answer *answers; /* in the order of the heads */
    bool truncated;
    uint32_t tokens;
    const char *problem;         /* why the input cannot be read; empty otherwise */
} hidra_prediction;

typedef struct hidra_predictions {
    size_t count;
    const hidra_prediction *inputs; /* in the order of the inputs */
    uint64_t encoded, cached, truncated;
    double seconds;
} hidra_predictions;

/* Answers inputs with several heads; those that share an encoder share its pass. `top`: labels for each input, 0: one, or for
 * multilabel all above the threshold. `precision`: "fp32", "int8" or NULL, as the encoder is set. */
hidra_code hidra_predict(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_inputs *inputs,
    uint32_t top, const char *precision, hidra_predictions **predictions, hidra_error **error);

typedef struct hidra_problem {
    size_t input;
    const char *message;
} hidra_problem;

typedef struct hidra_embeddings {
    size_t rows, width;
    const float *values; /* row-major [rows, width]; rows of inputs that cannot be read are NaN */
    size_t problem_count;
    const hidra_problem *problems;
    uint64_t truncated, cached;
    double seconds;
} hidra_embeddings;

/* Vectors of inputs. `tap`: NULL for the top. `precision` as in `hidra_predict`. */
hidra_code hidra_embed(
    hidra_client *client, const hidra_call *call, const char *encoder, const hidra_inputs *inputs, const char *tap,
    const char *precision, hidra_embeddings **embeddings, hidra_error **error);

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

/* FNV-1a of the .proto files this library was generated from; compared with the files by a test. */
uint32_t hidra_proto_digest(void);

#ifdef __cplusplus
}
#endif

#include "hidra_callbacks.h"
#include "hidra_graphs.h"
#include "hidra_steps.h"

#endif
