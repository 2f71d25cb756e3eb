/* Hidra's client for C: what a program does in the daemon's place. Part of hidra.h, whose rules on ownership and errors apply.
 *
 *     static int loss(const hidra_question *batch, hidra_result *result, void *context) {
 *         hidra_result_loss(result, my_loss(batch->outputs, batch->classes, hidra_result_gradients(result)));
 *         return 0;
 *     }
 *     const hidra_callbacks callbacks = {.loss = loss};
 *     const hidra_training training = {..., .callbacks = &callbacks};
 *
 * Threads. Callbacks run on the thread of the call they belong to (`hidra_train` or `hidra_serve`), one at a time and without a
 * lock: they may use the client. The daemon serves others meanwhile, and waits for each for `hidra_training.call_deadline`.
 */
#ifndef HIDRA_CALLBACKS_H
#define HIDRA_CALLBACKS_H

#include "hidra_heads.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the daemon asks. Lives until the callback returns. */
typedef struct hidra_question {
    const char *head;
    hidra_task task;
    uint64_t step;             /* of loss: optimiser steps before this one; of metrics: epochs, 0 for the test rows */
    size_t label_count;        /* names of the outputs, in the first question of each kind; 0 in others */
    const char *const *labels;
    size_t rows;
    size_t width;              /* outputs of one row; 0 in preprocess */
    const float *outputs;      /* row-major [rows, width], before any softmax or sigmoid */
    const int32_t *classes;    /* of loss and metrics, classify (and tag: of each word): [rows], counted from 0; else NULL */
    const float *targets;      /* of loss and metrics, multilabel: [rows, width], 0 or 1; regress: [rows], as the head learns them,
                                  shifted by the mean and divided by the deviation of the training rows; else NULL */
    size_t column_count;       /* of preprocess: the head's columns, in its order, each of `rows` values */
    const hidra_column *columns;
    size_t length_count;       /* of tag, but in preprocess: a row is a word, texts laid end to end, and these are the words of each text */
    const int32_t *lengths;
} hidra_question;

/* Takes the answer; what it is given is copied. Lives until the callback returns. */
typedef struct hidra_result hidra_result;

/* Answers a question: 0. Anything else ends the request with HIDRA_INVALID_DATA and the problem that was named. */
typedef int hidra_callback(const hidra_question *question, hidra_result *result, void *context);

/* What the program does; NULL: the daemon does it. */
typedef struct hidra_callbacks {
    hidra_callback *loss;        /* of a batch: its mean loss, and the gradients of that by the outputs */
    hidra_callback *metrics;     /* of all validation or test rows: named numbers, the first being the score, higher is better, that
                                    decides which epoch's weights stay */
    hidra_callback *preprocess;  /* values of the columns as the head is to read them; what is not set stays as it is */
    hidra_callback *postprocess; /* for each row one prediction: labels with scores, or a value; not of tag */
    void *context;
} hidra_callbacks;

void hidra_result_problem(hidra_result *result, const char *message);

/* Of loss. The gradients are [rows, width], zero at first, to be filled in; never NULL there. */
void hidra_result_loss(hidra_result *result, double loss);
float *hidra_result_gradients(hidra_result *result);

/* Of metrics. */
void hidra_result_metric(hidra_result *result, const char *name, double value);

/* Of preprocess: a value of a column of texts, or of files. */
void hidra_result_text(hidra_result *result, size_t column, size_t row, const char *text);
void hidra_result_file(hidra_result *result, size_t column, size_t row, hidra_bytes file);

/* Of postprocess: a label more, best first; or a regression's value. */
void hidra_result_label(hidra_result *result, size_t row, const char *label, double score);
void hidra_result_value(hidra_result *result, size_t row, double value);

/* Answers for heads that were trained with `preprocess` or `postprocess`, until it is cancelled (`hidra_cancel` with the call's
 * tag, HIDRA_CANCELLED), its time is over, or the connection ends. Other calls of the client go on in other threads. Without
 * such a program its heads cannot be asked: HIDRA_UNAVAILABLE, with the name of the client that is missing.
 *
 * HIDRA_INVALID_ARGUMENT: a head that needs nobody, or callbacks it was not trained with. */
hidra_code hidra_serve(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_callbacks *callbacks,
    hidra_error **error);

#ifdef __cplusplus
}
#endif

#endif
