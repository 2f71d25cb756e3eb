#include "callbacks.h"

#include <math.h>
#include <string.h>

/* The columns of a call. `rows` is the number of their values, or SIZE_MAX when they do not agree. */
static const hidra_column *columns_of(struct arena *arena, const Hidra__V1__Call *call, size_t *rows) {
    hidra_column *columns = hi_arena_array(arena, call->n_columns, sizeof *columns);
    for (size_t i = 0; columns != NULL && i < call->n_columns; i++) {
        const Hidra__V1__Column *received = call->columns[i];
        size_t count = received->n_blobs > 0 ? received->n_blobs : received->n_values;
        if (i > 0 && count != *rows) {
            *rows = SIZE_MAX;
            return columns;
        }
        *rows = count;
        columns[i].name = received->name;
        if (received->n_blobs == 0) {
            /* Never NULL, to say that they are texts. */
            static const char *const none = "";
            columns[i].texts = received->n_values == 0 ? &none : names(received->values);
            continue;
        }
        hidra_bytes *blobs = hi_arena_array(arena, count, sizeof *blobs);
        for (size_t k = 0; blobs != NULL && k < count; k++) blobs[k] = (hidra_bytes){received->blobs[k].data, received->blobs[k].len};
        columns[i].blobs = blobs;
    }
    return columns;
}

/* What a call asks. False when it is none that makes sense. */
static bool question_of(hidra_question *question, struct arena *arena, const struct message *message) {
    const Hidra__V1__Call *call = message->envelope->call;
    *question = (hidra_question){
        .head = call->head, .task = call->task == HIDRA__V1__TASK__TASK_UNSPECIFIED ? HIDRA_CLASSIFY : (hidra_task)call->task,
        .step = call->step, .label_count = call->n_labels, .labels = names(call->labels),
    };
    if (call->kind == HIDRA__V1__CALL_KIND__PREPROCESS) {
        question->columns = columns_of(arena, call, &question->rows);
        question->column_count = call->n_columns;
        return call->n_columns > 0 && question->rows != SIZE_MAX;
    }
    size_t index;
    const Hidra__V1__TensorFrame *outputs = hi_tensor_named(message, "outputs", HIDRA__V1__DATA_TYPE__FLOAT32, &index);
    if (outputs == NULL || outputs->n_shape != 2) return false;
    question->rows = (size_t)outputs->shape[0];
    question->width = (size_t)outputs->shape[1];
    size_t count = question->rows * question->width;
    question->outputs = hi_words(message->tensors[index], count);
    if (question->task == HIDRA_TAG) {
        const Hidra__V1__TensorFrame *lengths = hi_tensor_named(message, "lengths", HIDRA__V1__DATA_TYPE__INT32, &index);
        if (lengths == NULL || lengths->n_shape != 1) return false;
        question->length_count = (size_t)lengths->shape[0];
        question->lengths = hi_words(message->tensors[index], question->length_count);
        int64_t words = 0;
        for (size_t i = 0; i < question->length_count; i++) {
            if (question->lengths[i] < 0) return false;
            words += question->lengths[i];
        }
        if ((uint64_t)words != question->rows) return false;
    }
    const Hidra__V1__TensorFrame *targets = hi_tensor_named(message, "targets", HIDRA__V1__DATA_TYPE__INT32, &index);
    if (targets != NULL) {
        if (targets->n_shape != 1 || targets->shape[0] != question->rows) return false;
        question->classes = hi_words(message->tensors[index], question->rows);
        return true;
    }
    targets = hi_tensor_named(message, "targets", HIDRA__V1__DATA_TYPE__FLOAT32, &index);
    if (targets == NULL) return call->kind == HIDRA__V1__CALL_KIND__POSTPROCESS;
    if (targets->n_shape != 2 || targets->shape[0] != question->rows || targets->shape[1] != question->width) return false;
    question->targets = hi_words(message->tensors[index], count);
    return true;
}

static hidra_callback *callback_of(const hidra_callbacks *callbacks, Hidra__V1__CallKind kind) {
    if (callbacks == NULL) return NULL;
    switch (kind) {
    case HIDRA__V1__CALL_KIND__LOSS: return callbacks->loss;
    case HIDRA__V1__CALL_KIND__METRICS: return callbacks->metrics;
    case HIDRA__V1__CALL_KIND__PREPROCESS: return callbacks->preprocess;
    case HIDRA__V1__CALL_KIND__POSTPROCESS: return callbacks->postprocess;
    default: return NULL;
    }
}

size_t hi_call_kinds(const hidra_callbacks *callbacks, Hidra__V1__CallKind kinds[static 4]) {
    static const Hidra__V1__CallKind all[] = {
        HIDRA__V1__CALL_KIND__LOSS, HIDRA__V1__CALL_KIND__METRICS, HIDRA__V1__CALL_KIND__PREPROCESS, HIDRA__V1__CALL_KIND__POSTPROCESS,
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (callback_of(callbacks, all[i]) != NULL) kinds[count++] = all[i];
    return count;
}

/* Room for what the callback is to fill in. */
static void prepare(hidra_result *result, Hidra__V1__CallKind kind) {
    const hidra_question *question = result->question;
    struct arena *arena = result->arena;
    Hidra__V1__CallResult *message = result->message;
    if (kind == HIDRA__V1__CALL_KIND__LOSS) {
        size_t count = question->rows * question->width;
        result->gradients = hi_arena_array(arena, count > 0 ? count : 1, sizeof *result->gradients);
    } else if (kind == HIDRA__V1__CALL_KIND__PREPROCESS) {
        message->columns = hi_columns_set(arena, question->columns, question->column_count, 0, question->rows);
        message->n_columns = message->columns == NULL ? 0 : question->column_count;
        for (size_t i = 0; i < message->n_columns; i++) {
            /* A list of its own: the callback's values replace those that came. */
            Hidra__V1__Column *part = message->columns[i];
            char **values = hi_arena_array(arena, part->n_values, sizeof *values);
            if (values != NULL) part->values = memcpy(values, part->values, part->n_values * sizeof *values);
        }
    } else if (kind == HIDRA__V1__CALL_KIND__POSTPROCESS) {
        Hidra__V1__HeadPrediction *all = hi_arena_array(arena, question->rows, sizeof *all);
        message->predictions = hi_arena_array(arena, question->rows, sizeof *message->predictions);
        message->n_predictions = message->predictions == NULL ? 0 : question->rows;
        for (size_t i = 0; i < message->n_predictions; i++) hidra__v1__head_prediction__init(message->predictions[i] = &all[i]);
    }
}

/* The tensor with the gradients. A problem, or NULL. */
static const char *attach_gradients(struct call_answer *answer, const hidra_question *question, const float *gradients, double loss) {
    size_t count = question->rows * question->width;
    bool is_finite = isfinite(loss);
    for (size_t i = 0; is_finite && i < count; i++) is_finite = isfinite(gradients[i]);
    if (!is_finite) return "The callback's loss or one of its gradients is not finite. Guard logarithms and divisions.";
    Hidra__V1__TensorFrame *frame = hi_arena_allocate(&answer->arena, sizeof *frame), **list = hi_arena_array(&answer->arena, 1, sizeof *list);
    uint64_t *shape = hi_arena_array(&answer->arena, 2, sizeof *shape);
    const void *bytes = hi_words_sent(&answer->arena, gradients, count);
    if (answer->arena.exhausted) return NULL;
    shape[0] = question->rows;
    shape[1] = question->width;
    hidra__v1__tensor_frame__init(list[0] = frame);
    frame->name = text("gradients");
    frame->type = HIDRA__V1__DATA_TYPE__FLOAT32;
    frame->n_shape = 2;
    frame->shape = shape;
    answer->envelope.tensors = list;
    answer->envelope.n_tensors = 1;
    answer->tensor = (hidra_bytes){bytes, count * sizeof *gradients};
    return NULL;
}

/* Runs the callback. A problem, or NULL. */
static const char *run(
    struct call_answer *answer, const struct message *received, const hidra_callbacks *callbacks, Hidra__V1__CallResult *message) {
    Hidra__V1__CallKind kind = received->envelope->call->kind;
    hidra_callback *callback = callback_of(callbacks, kind);
    if (callback == NULL) return "This program does not answer calls of that kind.";
    hidra_question question;
    if (!question_of(&question, &answer->arena, received)) return "hidrad sent a call that cannot be understood. Are both of one version?";
    hidra_result result = {.arena = &answer->arena, .question = &question, .message = message};
    prepare(&result, kind);
    if (answer->arena.exhausted) return NULL;
    int status = callback(&question, &result, callbacks->context);
    if (result.problem != NULL) return result.problem;
    if (status != 0) return "The program's callback failed.";
    return kind == HIDRA__V1__CALL_KIND__LOSS ? attach_gradients(answer, &question, result.gradients, message->loss) : NULL;
}

void hi_call_answer(
    struct call_answer *answer, const struct message *received, const hidra_callbacks *callbacks, size_t message_bytes) {
    const Hidra__V1__Call *call = received->envelope->call;
    Hidra__V1__CallResult *message = hi_arena_allocate(&answer->arena, sizeof *message);
    hidra__v1__envelope__init(&answer->envelope);
    answer->envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_CALL_RESULT;
    static const Hidra__V1__CallResult none = HIDRA__V1__CALL_RESULT__INIT;
    if (message == NULL) {
        answer->envelope.call_result = (Hidra__V1__CallResult *)(uintptr_t)&none;
        return;
    }
    hidra__v1__call_result__init(answer->envelope.call_result = message);
    message->request_id = received->envelope->request_id;
    message->call = call->call;
    const char *problem = run(answer, received, callbacks, message);
    if (answer->arena.exhausted) problem = "The program has no memory for its answer.";
    else if (problem == NULL && (hidra__v1__envelope__get_packed_size(&answer->envelope) + 10 > message_bytes || answer->tensor.size > message_bytes))
        problem = "The program's answer is larger than a message of hidrad's.";
    if (problem == NULL) return;
    answer->envelope.n_tensors = 0;
    uint64_t id = message->request_id;
    hidra__v1__call_result__init(message);
    message->request_id = id;
    message->call = call->call;
    message->problem = text(problem);
}

hidra_code hidra_serve(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_callbacks *callbacks,
    hidra_error **error) {
    if (error != NULL) *error = NULL;
    hidra_code code = head_count == 0 ? hi_fail(error, HIDRA_INVALID_ARGUMENT, "Name the heads to answer for.") : HIDRA_OK;
    for (size_t i = 0; code == HIDRA_OK && i < head_count; i++) code = hi_check_text(heads[i], "head's name", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__ServeRequest request = HIDRA__V1__SERVE_REQUEST__INIT;
    request.n_heads = head_count;
    request.heads = texts(heads);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_SERVE;
    envelope.serve = &request;
    struct extras extras = {.callbacks = callbacks};
    struct message *reply = NULL;
    code = hi_connection_exchange(client->connection, WORK, call, &envelope, &extras, HIDRA__V1__ENVELOPE__KIND_SERVE_REPLY, &reply, error);
    hi_message_free(reply);
    return code;
}
