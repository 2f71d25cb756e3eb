/* What a callback answers, copied into the message that goes back. */
#include <stdio.h>
#include <string.h>

#include "callbacks.h"

void hidra_result_problem(hidra_result *result, const char *message) {
    bool is_text = message != NULL && *message != 0 && hi_is_utf8(message, strlen(message));
    const char *copy = hi_arena_copy(result->arena, is_text ? message : "a problem that is no text");
    if (copy != NULL) result->problem = copy;
}

void hidra_result_loss(hidra_result *result, double loss) { result->message->loss = loss; }

float *hidra_result_gradients(hidra_result *result) { return result->gradients; }

/* A copy, or NULL with a problem noted. */
static char *taken(hidra_result *result, const char *given, const char *what) {
    if (given != NULL && hi_is_utf8(given, strlen(given))) return hi_arena_copy(result->arena, given);
    char message[80];
    snprintf(message, sizeof message, "The callback gave %s that is no UTF-8.", what);
    hidra_result_problem(result, message);
    return NULL;
}

void hidra_result_metric(hidra_result *result, const char *name, double value) {
    Hidra__V1__CallResult *message = result->message;
    char *copy = taken(result, name, "a metric's name");
    Hidra__V1__Metric *metric = hi_arena_allocate(result->arena, sizeof *metric);
    if (message->n_metrics == result->metric_space) {
        result->metric_space = 2 * result->metric_space + 8;
        Hidra__V1__Metric **longer = hi_arena_array(result->arena, result->metric_space, sizeof *longer);
        if (longer != NULL && message->n_metrics > 0) memcpy(longer, message->metrics, message->n_metrics * sizeof *longer);
        message->metrics = longer;
    }
    if (copy == NULL || result->arena->exhausted) return;
    hidra__v1__metric__init(metric);
    metric->name = copy;
    metric->value = value;
    message->metrics[message->n_metrics++] = metric;
}

/* The column of a preprocessed value, or NULL with a problem noted. */
static Hidra__V1__Column *column_at(hidra_result *result, size_t column, size_t row, bool is_text) {
    if (column < result->message->n_columns && row < result->question->rows &&
        (result->question->columns[column].texts != NULL) == is_text) return result->message->columns[column];
    hidra_result_problem(result, "The callback gave a value for a row or a column that was not asked for.");
    return NULL;
}

void hidra_result_text(hidra_result *result, size_t column, size_t row, const char *text) {
    Hidra__V1__Column *part = column_at(result, column, row, true);
    char *copy = taken(result, text, "a text");
    if (part != NULL && copy != NULL) part->values[row] = copy;
}

void hidra_result_file(hidra_result *result, size_t column, size_t row, hidra_bytes file) {
    Hidra__V1__Column *part = column_at(result, column, row, false);
    void *copy = hi_arena_allocate(result->arena, file.size + 1);
    if (part == NULL || copy == NULL) return;
    if (file.size > 0) memcpy(copy, file.data, file.size);
    part->blobs[row] = (ProtobufCBinaryData){file.size, copy};
}

/* The prediction of a row, or NULL with a problem noted. */
static Hidra__V1__HeadPrediction *prediction_at(hidra_result *result, size_t row) {
    if (row < result->message->n_predictions) return result->message->predictions[row];
    hidra_result_problem(result, "The callback gave a prediction for a row that was not asked for.");
    return NULL;
}

void hidra_result_label(hidra_result *result, size_t row, const char *label, double score) {
    Hidra__V1__HeadPrediction *prediction = prediction_at(result, row);
    char *copy = taken(result, label, "a label");
    if (prediction == NULL || copy == NULL) return;
    size_t count = prediction->n_labels;
    /* Full at each power of two. */
    if ((count & (count - 1)) == 0) {
        Hidra__V1__Score **longer = hi_arena_array(result->arena, count == 0 ? 1 : 2 * count, sizeof *longer);
        if (longer != NULL && count > 0) memcpy(longer, prediction->labels, count * sizeof *longer);
        prediction->labels = longer;
    }
    Hidra__V1__Score *made = hi_arena_allocate(result->arena, sizeof *made);
    if (made == NULL) return;
    hidra__v1__score__init(made);
    made->label = copy;
    made->score = score;
    prediction->labels[prediction->n_labels++] = made;
}

void hidra_result_value(hidra_result *result, size_t row, double value) {
    Hidra__V1__HeadPrediction *prediction = prediction_at(result, row);
    if (prediction == NULL) return;
    prediction->value_presence_case = HIDRA__V1__HEAD_PREDICTION__VALUE_PRESENCE_VALUE;
    prediction->value = value;
}
