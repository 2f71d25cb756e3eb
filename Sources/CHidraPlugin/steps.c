/* What an attachment does: passes, steps, states. */
#include "attachments.h"

/* A frame for the only tensor of a request. */
static void set_frame(
    Hidra__V1__Envelope *envelope, Hidra__V1__TensorFrame *frame, Hidra__V1__TensorFrame **list, const char *name,
    Hidra__V1__DataType type, uint64_t *shape, size_t dimensions) {
    hidra__v1__tensor_frame__init(*list = frame);
    frame->name = text(name);
    frame->type = type;
    frame->n_shape = dimensions;
    frame->shape = shape;
    envelope->n_tensors = 1;
    envelope->tensors = list;
}

static hidra_code set_batch(Hidra__V1__Batch *target, struct arena *arena, const hidra_batch *batch, hidra_error **error) {
    hidra_code code = hi_check_text(batch->data, "name of the data set", false, error);
    if (code == HIDRA_OK) code = hi_check_text(batch->input_column, "name of the input column", false, error);
    if (code == HIDRA_OK) code = hi_check_text(batch->label_column, "name of the label column", false, error);
    if (code == HIDRA_OK) code = hi_check_text(batch->label_separator, "label separator", false, error);
    if (code == HIDRA_OK && (batch->data == NULL) == (batch->columns == NULL))
        code = hi_fail(error, HIDRA_INVALID_ARGUMENT, "A batch is rows of a data set, or has columns of its own.");
    if (code == HIDRA_OK && batch->columns != NULL) code = hi_check_columns(batch->columns, batch->column_count, batch->row_count, error);
    if (code != HIDRA_OK) return code;
    target->data = text(batch->data);
    target->n_rows = batch->data == NULL ? 0 : batch->row_count;
    target->rows = (uint64_t *)(uintptr_t)batch->rows;
    target->columns = hi_columns_set(arena, batch->columns, batch->columns == NULL ? 0 : batch->column_count, 0, batch->row_count);
    target->n_columns = target->columns == NULL ? 0 : batch->column_count;
    target->input_column = text(batch->input_column);
    target->label_column = text(batch->label_column);
    target->label_separator = text(batch->label_separator);
    return arena->exhausted ? hi_fail_memory(error) : HIDRA_OK;
}

/* Takes over the reply. */
static hidra_code outputs_of(struct message *reply, uint64_t truncated, hidra_outputs **outputs, hidra_error **error) {
    size_t index;
    const Hidra__V1__TensorFrame *tensor = hi_tensor_named(reply, "outputs", HIDRA__V1__DATA_TYPE__FLOAT32, &index);
    if (tensor == NULL || tensor->n_shape != 2) {
        hi_message_free(reply);
        return hi_fail(error, HIDRA_INTERNAL, "hidrad answered without outputs. Are both of one version?");
    }
    size_t rows = (size_t)tensor->shape[0], width = (size_t)tensor->shape[1];
    const void *values = reply->tensors[index];
    hidra_code code = hi_result_create(outputs, sizeof **outputs, reply, error);
    if (code == HIDRA_OK) **outputs = (hidra_outputs){rows, width, hi_words(values, rows * width), truncated};
    return code;
}

hidra_code hidra_forward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const hidra_batch *batch, bool training,
    hidra_outputs **outputs, hidra_error **error) {
    *outputs = NULL;
    if (error != NULL) *error = NULL;
    struct arena arena = {0};
    Hidra__V1__Batch rows = HIDRA__V1__BATCH__INIT;
    hidra_code code = set_batch(&rows, &arena, batch, error);
    Hidra__V1__ForwardRequest request = HIDRA__V1__FORWARD_REQUEST__INIT;
    request.run = text(attachment->run);
    request.batch = &rows;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_FORWARD;
    envelope.forward = &request;
    struct message *reply = NULL;
    if (code == HIDRA_OK)
        code = hi_attachment_ask(client, call, attachment, &envelope, training ? &request.sequence : NULL, NULL,
                HIDRA__V1__ENVELOPE__KIND_FORWARD_REPLY, &reply, error);
    hi_arena_free(&arena);
    return code == HIDRA_OK ? outputs_of(reply, reply->envelope->forward_reply->truncated, outputs, error) : code;
}

hidra_code hidra_forward_backward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const hidra_batch *batch, double scale, double *loss,
    hidra_outputs **outputs, hidra_error **error) {
    if (outputs != NULL) *outputs = NULL;
    if (error != NULL) *error = NULL;
    struct arena arena = {0};
    Hidra__V1__Batch rows = HIDRA__V1__BATCH__INIT;
    hidra_code code = set_batch(&rows, &arena, batch, error);
    Hidra__V1__ForwardBackwardRequest request = HIDRA__V1__FORWARD_BACKWARD_REQUEST__INIT;
    request.run = text(attachment->run);
    request.batch = &rows;
    request.scale = scale;
    request.outputs = outputs != NULL;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_FORWARD_BACKWARD;
    envelope.forward_backward = &request;
    struct message *reply = NULL;
    if (code == HIDRA_OK)
        code = hi_attachment_ask(client, call, attachment, &envelope, &request.sequence, NULL, HIDRA__V1__ENVELOPE__KIND_FORWARD_BACKWARD_REPLY,
                &reply, error);
    hi_arena_free(&arena);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__ForwardBackwardReply *received = reply->envelope->forward_backward_reply;
    if (loss != NULL) *loss = received->loss;
    if (outputs != NULL) return outputs_of(reply, received->truncated, outputs, error);
    hi_message_free(reply);
    return HIDRA_OK;
}

hidra_code hidra_backward(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const float *gradients, size_t rows, bool step,
    double learning_rate, double *gradient_norm, hidra_error **error) {
    if (error != NULL) *error = NULL;
    struct arena arena = {0};
    uint64_t shape[] = {rows, attachment->outputs};
    size_t count = rows * attachment->outputs;
    hidra_bytes tensor = {hi_words_sent(&arena, gradients, count), count * sizeof *gradients};
    if (arena.exhausted) return hi_fail_memory(error);
    Hidra__V1__BackwardRequest request = HIDRA__V1__BACKWARD_REQUEST__INIT;
    request.run = text(attachment->run);
    request.step = step;
    request.learning_rate = learning_rate;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_BACKWARD;
    envelope.backward = &request;
    Hidra__V1__TensorFrame frame, *list;
    set_frame(&envelope, &frame, &list, "gradients", HIDRA__V1__DATA_TYPE__FLOAT32, shape, 2);
    struct message *reply = NULL;
    hidra_code code = hi_attachment_ask(client, call, attachment, &envelope, &request.sequence, &tensor, HIDRA__V1__ENVELOPE__KIND_BACKWARD_REPLY,
                        &reply, error);
    hi_arena_free(&arena);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__BackwardReply *received = reply->envelope->backward_reply;
    if (step) attachment->steps = received->steps;
    if (gradient_norm != NULL) *gradient_norm = received->gradient_norm;
    hi_message_free(reply);
    return HIDRA_OK;
}

hidra_code hidra_optim_step(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, double learning_rate, double *gradient_norm,
    hidra_error **error) {
    if (error != NULL) *error = NULL;
    Hidra__V1__OptimStepRequest request = HIDRA__V1__OPTIM_STEP_REQUEST__INIT;
    request.run = text(attachment->run);
    request.learning_rate = learning_rate;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_OPTIM_STEP;
    envelope.optim_step = &request;
    struct message *reply = NULL;
    hidra_code code = hi_attachment_ask(client, call, attachment, &envelope, &request.sequence, NULL, HIDRA__V1__ENVELOPE__KIND_OPTIM_STEP_REPLY,
                        &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__OptimStepReply *received = reply->envelope->optim_step_reply;
    attachment->steps = received->steps;
    if (gradient_norm != NULL) *gradient_norm = received->gradient_norm;
    hi_message_free(reply);
    return HIDRA_OK;
}

hidra_code hidra_save_state(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, hidra_saved **state, hidra_error **error) {
    *state = NULL;
    if (error != NULL) *error = NULL;
    Hidra__V1__SaveStateRequest request = HIDRA__V1__SAVE_STATE_REQUEST__INIT;
    request.run = text(attachment->run);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_SAVE_STATE;
    envelope.save_state = &request;
    struct message *reply = NULL;
    hidra_code code = hi_attachment_ask(client, call, attachment, &envelope, NULL, NULL, HIDRA__V1__ENVELOPE__KIND_SAVE_STATE_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    size_t index;
    const Hidra__V1__TensorFrame *tensor = hi_tensor_named(reply, "state", HIDRA__V1__DATA_TYPE__UINT8, &index);
    if (tensor == NULL || tensor->n_shape != 1) {
        hi_message_free(reply);
        return hi_fail(error, HIDRA_INTERNAL, "hidrad answered without a state. Are both of one version?");
    }
    const Hidra__V1__SaveStateReply *received = reply->envelope->save_state_reply;
    hidra_saved made = {reply->tensors[index], (size_t)tensor->shape[0], received->steps, received->digest};
    code = hi_result_create(state, sizeof **state, reply, error);
    if (code == HIDRA_OK) **state = made;
    return code;
}

hidra_code hidra_load_state(
    hidra_client *client, const hidra_call *call, hidra_attachment *attachment, const void *state, size_t size, hidra_error **error) {
    if (error != NULL) *error = NULL;
    uint64_t shape[] = {size};
    hidra_bytes tensor = {state, size};
    Hidra__V1__LoadStateRequest request = HIDRA__V1__LOAD_STATE_REQUEST__INIT;
    request.run = text(attachment->run);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_LOAD_STATE;
    envelope.load_state = &request;
    Hidra__V1__TensorFrame frame, *list;
    set_frame(&envelope, &frame, &list, "state", HIDRA__V1__DATA_TYPE__UINT8, shape, 1);
    struct message *reply = NULL;
    hidra_code code = hi_attachment_ask(client, call, attachment, &envelope, &request.sequence, &tensor, HIDRA__V1__ENVELOPE__KIND_LOAD_STATE_REPLY,
                        &reply, error);
    if (code == HIDRA_OK) attachment->steps = reply->envelope->load_state_reply->steps;
    hi_message_free(reply);
    return code;
}

