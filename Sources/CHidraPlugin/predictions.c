/* What heads say about inputs: at once, or as it is computed. */
#include <stdlib.h>
#include <string.h>

#include "calls.h"

static hidra_prediction prediction_of(struct arena *arena, const Hidra__V1__Prediction *received) {
    hidra_answer *answers = hi_arena_array(arena, received->n_heads, sizeof *answers);
    for (size_t i = 0; answers != NULL && i < received->n_heads; i++) {
        const Hidra__V1__HeadPrediction *head = received->heads[i];
        hidra_score *labels = hi_arena_array(arena, head->n_labels, sizeof *labels);
        for (size_t k = 0; labels != NULL && k < head->n_labels; k++)
            labels[k] = (hidra_score){head->labels[k]->label, head->labels[k]->score};
        hidra_span *spans = hi_arena_array(arena, head->n_spans, sizeof *spans);
        for (size_t k = 0; spans != NULL && k < head->n_spans; k++)
            spans[k] = (hidra_span){head->spans[k]->label, head->spans[k]->start, head->spans[k]->end, head->spans[k]->score};
        bool has_value = head->value_presence_case == HIDRA__V1__HEAD_PREDICTION__VALUE_PRESENCE_VALUE;
        answers[i] = (hidra_answer){
            .label_count = labels == NULL ? 0 : head->n_labels, .labels = labels, .has_value = has_value,
            .value = has_value ? head->value : 0, .span_count = spans == NULL ? 0 : head->n_spans, .spans = spans,
        };
    }
    return (hidra_prediction){
        .answer_count = answers == NULL ? 0 : received->n_heads, .answers = answers, .truncated = received->truncated,
        .tokens = received->tokens, .problem = received->problem,
    };
}

/* Whether every input has an answer of every head, or a problem. */
static bool is_complete(const Hidra__V1__PredictReply *reply, size_t heads) {
    for (size_t i = 0; i < reply->n_inputs; i++)
        if (reply->inputs[i]->n_heads != heads && *reply->inputs[i]->problem == 0) return false;
    return true;
}

/* A result that shows the reply, which it takes over. */
static hidra_code predictions_of(struct message *reply, size_t heads, hidra_predictions **predictions, hidra_error **error) {
    const Hidra__V1__PredictReply *received = reply->envelope->predict_reply;
    if (!is_complete(received, heads)) {
        hi_message_free(reply);
        return hi_fail(error, HIDRA_INTERNAL, "hidrad did not answer every input with every head. Are both of one version?");
    }
    hidra_code code = hi_result_create(predictions, sizeof **predictions, reply, error);
    if (code != HIDRA_OK) return code;
    hidra_prediction *answers = hi_arena_array(hi_owned_arena(*predictions), received->n_inputs, sizeof *answers);
    for (size_t i = 0; answers != NULL && i < received->n_inputs; i++)
        answers[i] = prediction_of(hi_owned_arena(*predictions), received->inputs[i]);
    **predictions = (hidra_predictions){
        .count = answers == NULL ? 0 : received->n_inputs, .inputs = answers, .encoded = received->encoded, .cached = received->cached,
        .truncated = received->truncated, .seconds = received->seconds,
    };
    return hi_result_finish(predictions, error);
}

/* Takes the parts of a streamed prediction. */
struct stream {
    size_t heads, done, expected;
    int (*take)(const hidra_predictions *part, size_t first, void *context);
    void *context;
    hidra_code failed;
    hidra_error **error;
};

/* Takes over the message. Other than 0: enough. */
static int take_part(struct message *message, void *given) {
    struct stream *stream = given;
    /* What came before a failure has been looked at; nothing after it is. */
    if (stream->failed != HIDRA_OK) {
        hi_message_free(message);
        return 1;
    }
    hidra_predictions *part = NULL;
    stream->failed = predictions_of(message, stream->heads, &part, stream->error);
    if (stream->failed == HIDRA_OK && part->count > stream->expected - stream->done)
        stream->failed = hi_fail(stream->error, HIDRA_INTERNAL, "hidrad answered more inputs than it was asked about.");
    if (stream->failed != HIDRA_OK) {
        hidra_free(part);
        return 1;
    }
    int stop = stream->take(part, stream->done, stream->context);
    stream->done += part->count;
    hidra_free(part);
    return stop;
}

/* Sends a request. `stream` NULL: all answers come at once. */
static hidra_code ask(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_inputs *inputs,
    uint32_t top, const char *precision, struct stream *stream, struct message **reply, hidra_error **error) {
    hidra_code code = hi_check_asked(
        inputs, stream == NULL ? client->welcome->texts_per_request : client->welcome->texts_per_stream, error);
    if (code == HIDRA_OK) code = hi_check_text(precision, "precision", false, error);
    for (size_t i = 0; code == HIDRA_OK && i < head_count; i++) code = hi_check_text(heads[i], "head's name", true, error);
    if (code != HIDRA_OK) return code;
    struct arena arena = {0};
    Hidra__V1__PredictRequest request = HIDRA__V1__PREDICT_REQUEST__INIT;
    request.n_heads = head_count;
    request.heads = texts(heads);
    request.n_texts = inputs->texts == NULL ? 0 : inputs->count;
    request.texts = texts(inputs->texts);
    request.images = hi_images_set(&arena, inputs);
    request.n_images = request.images == NULL ? 0 : inputs->count;
    request.columns = hi_columns_set(&arena, inputs->columns, inputs->columns == NULL ? 0 : inputs->column_count, 0, inputs->count);
    request.n_columns = request.columns == NULL ? 0 : inputs->column_count;
    request.top = top;
    request.precision = text(precision);
    request.stream = stream != NULL;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_PREDICT;
    envelope.predict = &request;
    struct extras extras = {.part = stream == NULL ? NULL : take_part, .part_context = stream};
    code = arena.exhausted
        ? hi_fail_memory(error)
        : hi_connection_exchange(client->connection, WORK, call, &envelope, &extras, HIDRA__V1__ENVELOPE__KIND_PREDICT_REPLY, reply, error);
    hi_arena_free(&arena);
    return code;
}

hidra_code hidra_predict(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_inputs *inputs,
    uint32_t top, const char *precision, hidra_predictions **predictions, hidra_error **error) {
    *predictions = NULL;
    if (error != NULL) *error = NULL;
    struct message *reply = NULL;
    hidra_code code = ask(client, call, heads, head_count, inputs, top, precision, NULL, &reply, error);
    if (code != HIDRA_OK) return code;
    if (reply->envelope->predict_reply->n_inputs == inputs->count) return predictions_of(reply, head_count, predictions, error);
    hi_message_free(reply);
    return hi_fail(error, HIDRA_INTERNAL, "hidrad did not answer every input. Are both of one version?");
}

hidra_code hidra_predict_stream(
    hidra_client *client, const hidra_call *call, const char *const *heads, size_t head_count, const hidra_inputs *inputs,
    uint32_t top, const char *precision, int (*take)(const hidra_predictions *part, size_t first, void *context), void *context,
    hidra_predictions **totals, hidra_error **error) {
    if (totals != NULL) *totals = NULL;
    if (error != NULL) *error = NULL;
    if (take == NULL) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "Answers that are streamed need a function that takes them.");
    hidra_error *failure = NULL, *other = NULL;
    struct stream stream = {
        .heads = head_count, .expected = inputs->count, .take = take, .context = context, .error = error == NULL ? NULL : &failure};
    struct message *reply = NULL;
    hidra_code code = ask(client, call, heads, head_count, inputs, top, precision, &stream, &reply, error == NULL ? NULL : &other);
    /* A daemon that does not stream has answered everything here. */
    if (code == HIDRA_OK && stream.failed == HIDRA_OK && reply->envelope->predict_reply->n_inputs > 0) {
        take_part(reply, &stream);
        reply = NULL;
    }
    /* Why a part could not be taken says more than that the call was cancelled for it. */
    if (stream.failed != HIDRA_OK) {
        hidra_free(other);
        other = failure;
        code = stream.failed;
    } else if (code == HIDRA_OK && stream.done != inputs->count)
        code = hi_fail(error == NULL ? NULL : &other, HIDRA_INTERNAL, "hidrad answered %zu of %zu inputs.", stream.done, inputs->count);
    if (code == HIDRA_OK && totals != NULL && reply != NULL) {
        code = predictions_of(reply, head_count, totals, error == NULL ? NULL : &other);
        reply = NULL;
    }
    hi_message_free(reply);
    if (error != NULL) *error = other;
    return code;
}
