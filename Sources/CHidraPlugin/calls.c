#include "calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto_digest.h"

uint32_t hidra_proto_digest(void) { return HIDRA_PROTO_DIGEST; }

double hidra_metric_value(const hidra_metric *metrics, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, name) == 0) return metrics[i].value;
    return NAN;
}

hidra_progress hi_progress_of(struct arena *arena, const Hidra__V1__Progress *progress) {
    hidra_progress result = {
        .job = progress->job, .phase = progress->phase, .unit = progress->unit, .done = progress->done, .total = progress->total,
        .note = progress->note,
    };
    SET_METRICS(&result, arena, progress->n_metrics, progress->metrics);
    return result;
}

hidra_encoder hi_encoder_of(const Hidra__V1__Encoder *encoder) {
    return (hidra_encoder){
        .name = encoder->name, .architecture = encoder->architecture, .pooling = encoder->pooling, .source = encoder->source,
        .revision = encoder->revision, .licence = encoder->licence, .digest = encoder->digest, .modality = encoder->modality,
        .precision = encoder->precision, .parameters = encoder->parameters, .bytes = encoder->bytes, .width = encoder->width,
        .layers = encoder->layers, .max_tokens = encoder->max_tokens, .created = encoder->created, .tap_count = encoder->n_taps,
        .taps = names(encoder->taps),
    };
}

hidra_head hi_head_of(struct arena *arena, const Hidra__V1__Head *head) {
    hidra_head result = {
        .name = head->name, .encoder = head->encoder, .task = head->task, .kind = head->kind, .digest = head->digest,
        .run = head->run, .tap = head->tap, .modality = head->modality, .parameters = head->parameters, .created = head->created,
        .label_count = head->n_labels, .labels = names(head->labels), .served_by = head->served_by,
    };
    result.inputs = hi_inputs_of(arena, head->inputs, head->n_inputs);
    result.input_count = result.inputs == NULL ? 0 : head->n_inputs;
    for (size_t i = 0; i < head->n_calls; i++) {
        result.is_preprocessed |= head->calls[i] == HIDRA__V1__CALL_KIND__PREPROCESS;
        result.is_postprocessed |= head->calls[i] == HIDRA__V1__CALL_KIND__POSTPROCESS;
    }
    SET_METRICS(&result, arena, head->n_metrics, head->metrics);
    return result;
}

hidra_code hi_check_text(const char *given, const char *what, bool is_required, hidra_error **error) {
    if (is_required && (given == NULL || *given == 0)) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The %s is missing.", what);
    if (given != NULL && !hi_is_utf8(given, strlen(given))) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The %s is no UTF-8.", what);
    return HIDRA_OK;
}

hidra_code hi_result_create(void *result, size_t size, struct message *reply, hidra_error **error) {
    void *made = hi_owned_create(&reply->arena, size);
    memcpy(result, &made, sizeof made);
    hi_message_free(reply);
    return made == NULL ? hi_fail_memory(error) : HIDRA_OK;
}

hidra_code hi_result_finish(void *result, hidra_error **error) {
    void *made, *none = NULL;
    memcpy(&made, result, sizeof made);
    if (!hi_owned_arena(made)->exhausted) return HIDRA_OK;
    hidra_free(made);
    memcpy(result, &none, sizeof none);
    return hi_fail_memory(error);
}
