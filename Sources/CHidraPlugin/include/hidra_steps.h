/* Hidra's client for C: heads that a program trains step by step, with a loop, and if it likes a loss, of its own. Part of hidra.h,
 * whose rules on ownership and errors apply.
 *
 *     hidra_attachment *head = NULL;
 *     const hidra_attaching attaching = {.head = "mine", .encoder = "minilm", .labels = labels, .label_count = 2};
 *     hidra_attach(client, NULL, &attaching, &head, &error);
 *     for (each batch) {
 *         hidra_forward(client, NULL, head, &batch, true, &outputs, &error);
 *         my_loss(outputs->values, gradients);
 *         hidra_backward(client, NULL, head, gradients, outputs->rows, true, 0, NULL, &error);
 *         hidra_free(outputs);
 *     }
 *     hidra_detach(client, NULL, head, true, NULL, 0, NULL, &error);
 *     hidra_free(head);
 *
 * The daemon keeps weights, gradients and optimiser. Each verb that changes them is numbered here and applied once. What the daemon
 * refuses has changed nothing, and its number is free again. After HIDRA_TIMEOUT, HIDRA_CANCELLED or another failure without an
 * answer it is not known whether a verb was applied: call it again with the same arguments, and it is applied, or answered as it was
 * the first time; another verb is refused (HIDRA_CONFLICT) until then. After a lost connection, connect again and attach with
 * `run`: the head is as after its last optimiser step that was written down, gradients since are dropped, and `steps` says which
 * step comes next.
 *
 * Threads. An attachment is used by one thread at a time. It does not belong to a client: give each verb the client that attached.
 */
#ifndef HIDRA_STEPS_H
#define HIDRA_STEPS_H

#include "hidra_heads.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An attachment, declared. What is NULL or zero is the daemon's default, given in brackets. */
typedef struct hidra_attaching {
    const char *head;             /* required: its name when it is detached with `keep` */
    const char *run;              /* to go on with an attachment: `hidra_attachment.run`; all that follows is ignored */
    const char *encoder;
    hidra_task task;              /* [classify] */
    const char *const *labels;    /* names of the outputs, in their order; of regress none */
    size_t label_count;
    const char *kind;             /* as in hidra_training */
    uint32_t hidden;
    hidra_optional dropout;
    hidra_bytes graph;
    const hidra_head_input *inputs;
    size_t input_count;
    const char *tap, *precision;
    uint64_t seed;                /* [0] of the initial weights and of dropout */
    bool replace;                 /* replace a head of this name when it is detached */
    const char *optimiser;        /* "adamw", "adam", "sgd", "rmsprop", "adagrad" or "lion" ["adamw"] */
    double learning_rate;         /* where a step does not say [0.001] */
    double clip_norm;             /* the norm that gradients are scaled down to [no limit] */
    hidra_optional weight_decay, momentum, beta1, beta2; /* [0, 0, 0.9, 0.999] */
    const char *loss;             /* "cross_entropy", "binary_cross_entropy", "mean_squared_error", "l1", "huber" [by task] */
    double label_smoothing;       /* [0] */
    const float *class_weights;   /* one for each label [1] */
    size_t class_weight_count;
    uint32_t checkpoint_steps;    /* the state is written down with each so-manieth optimiser step [1] */
} hidra_attaching;

/* Filled in by the verbs: read only. */
typedef struct hidra_attachment {
    const char *run;     /* names it, also after the connection is lost */
    uint64_t sequence;   /* number of the last verb that is known to be applied */
    uint64_t steps;      /* of the optimiser, so far */
    uint64_t parameters;
    uint32_t outputs;    /* of one row */
    const char *loss;
    size_t input_count;
    const hidra_head_input *inputs; /* what it reads: as in hidra_head */
} hidra_attachment;

/* Attaches a new head, or goes on with one. */
hidra_code hidra_attach(
    hidra_client *client, const hidra_call *call, const hidra_attaching *attaching, hidra_attachment **attachment,
    hidra_error **error);

/* `row_count` rows: of a data set appended before, by their numbers from 0, or of its own in `columns`. */
typedef struct hidra_batch {
    size_t row_count;
    const char *data;
    const uint64_t *rows;
    const hidra_column *columns;
    size_t column_count;
    const char *input_column;    /* of a head that reads one column */
    const char *label_column;    /* labels, or numbers: of hidra_forward_backward */
    const char *label_separator; /* as in hidra_training */
} hidra_batch;

typedef struct hidra_outputs {
    size_t rows, width;
    const float *values; /* row-major [rows, width], before any softmax or sigmoid */
    uint64_t truncated;  /* texts longer than the encoder takes */
} hidra_outputs;

/* Outputs for a batch. `training`: with dropout, and kept for the backward that follows; otherwise as in a prediction. */
hidra_code hidra_forward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const hidra_batch *batch, bool training,
    hidra_outputs **outputs, hidra_error **error);

/* Adds the gradients of the attachment's own loss, times `scale` (0: 1), to those since the last optimiser step. `loss` (the mean over
 * the rows, before `scale`) and `outputs` may be NULL. */
hidra_code hidra_forward_backward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const hidra_batch *batch, double scale, double *loss,
    hidra_outputs **outputs, hidra_error **error);

/* Adds what gradients, row-major [rows, attachment->outputs], of the outputs of the last hidra_forward in training make of the
 * weights. `step`: steps the optimiser at once, at `learning_rate` (0: the attachment's): one round trip less. `gradient_norm` (before
 * clipping) may be NULL. */
hidra_code hidra_backward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const float *gradients, size_t rows, bool step,
    double learning_rate, double *gradient_norm, hidra_error **error);

/* Changes the weights by the gradients, which are zero from then on. */
hidra_code hidra_optim_step(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, double learning_rate, double *gradient_norm,
    hidra_error **error);

/* Weights and optimiser, without gradients, as a safetensors file. */
typedef struct hidra_saved {
    const uint8_t *data;
    size_t size;
    uint64_t steps;
    const char *digest; /* SHA-256 of the bytes, hexadecimal */
} hidra_saved;

hidra_code hidra_save_state(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, hidra_saved **state, hidra_error **error);

/* Takes a state that hidra_save_state gave, of this attachment or of another of the same shapes. */
hidra_code hidra_load_state(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const void *state, size_t size, hidra_error **error);

typedef struct hidra_detached {
    const char *run, *state; /* "finished" or "cancelled" */
    bool has_head;           /* with `keep` */
    hidra_head head;
} hidra_detached;

/* Ends the attachment. `keep`: registers the head, with metrics (what the program has measured); otherwise its weights are gone. It may
 * be repeated. `detached` may be NULL. The attachment itself is freed by hidra_free. */
hidra_code hidra_detach(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, bool keep, const hidra_metric *metrics,
    size_t metric_count, hidra_detached **detached, hidra_error **error);

#ifdef __cplusplus
}
#endif

#endif
