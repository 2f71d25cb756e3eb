/* Hidra's client for C: heads are trained, measured and asked. Part of hidra.h, whose rules on ownership and errors apply. */
#ifndef HIDRA_HEADS_H
#define HIDRA_HEADS_H

#include "hidra_data.h"
#include "hidra_registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hidra_task { HIDRA_CLASSIFY = 1, HIDRA_MULTILABEL = 2, HIDRA_REGRESS = 3, HIDRA_TAG = 4 } hidra_task; /* TAG: labels of words */

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

/* A piece of a text. */
typedef struct hidra_span {
    const char *label;
    uint32_t start, end; /* in the text, counted in Unicode scalars */
    double score;        /* probability */
} hidra_span;

typedef struct hidra_answer {
    size_t label_count;
    const hidra_score *labels; /* best first */
    bool has_value;
    double value;              /* of a regression head */
    size_t span_count;
    const hidra_span *spans;   /* of a head that labels words, in the text's order */
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

/* The same, of up to `hidra_welcome.texts_per_stream` inputs, as they are computed, some 64 at a time and in order.
 *
 * take: called on the call's thread with the answers of the inputs from `first` on. `part` is the library's, and lives until it returns.
 * Other than 0 cancels the call, which ends with HIDRA_CANCELLED.
 * totals: may be NULL; has no inputs, but the counts of all. */
hidra_code hidra_predict_stream(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_inputs *inputs,
    uint32_t top, const char *precision, int (*take)(const hidra_predictions *part, size_t first, void *context), void *context,
    hidra_predictions **totals, hidra_error **error);

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

#ifdef __cplusplus
}
#endif

#endif
