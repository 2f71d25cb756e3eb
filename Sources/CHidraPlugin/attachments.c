/* Attaching, detaching, and how verbs are numbered: what changes something carries the number after the last one known to be applied. */
#include <stdlib.h>

#include "attachments.h"

struct attachment {
    hidra_attachment shown;
    uint64_t doubtful; /* print of a verb of which it is not known whether it was applied; 0: none */
};

static struct attachment *inner(const hidra_attachment *attachment) {
    return (struct attachment *)(void *)(uintptr_t)attachment;
}

/* FNV-1a of a verb and its tensor: never 0, except when memory is exhausted. */
static uint64_t print_of(const Hidra__V1__Envelope *envelope, const hidra_bytes *tensor) {
    Hidra__V1__Envelope plain = *envelope;
    plain.request_id = 0;
    size_t size = hidra__v1__envelope__get_packed_size(&plain);
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) return 0;
    hidra__v1__envelope__pack(&plain, bytes);
    uint64_t print = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) print = (print ^ bytes[i]) * 0x100000001b3u;
    free(bytes);
    const uint8_t *data = tensor == NULL ? NULL : tensor->data;
    for (size_t i = 0; data != NULL && i < tensor->size; i++) print = (print ^ data[i]) * 0x100000001b3u;
    return print == 0 ? 1 : print;
}

hidra_code hi_attachment_ask(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, Hidra__V1__Envelope *envelope, uint64_t *number,
    const hidra_bytes *tensor, Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error) {
    struct attachment *own = inner(attachment);
    struct extras extras = {.tensors = tensor};
    if (number == NULL) return hi_connection_exchange(client->connection, WORK, call, envelope, &extras, expected, reply, error);
    *number = own->shown.sequence + 1;
    if (own->doubtful != 0 && print_of(envelope, tensor) != own->doubtful)
        return hi_fail(error, HIDRA_CONFLICT,
                    "It is not known whether verb %llu of %s was applied. Call it again as it was, or attach anew with the run.",
                    (unsigned long long)*number, own->shown.run);
    hidra_code code = hi_connection_exchange(client->connection, WORK, call, envelope, &extras, expected, reply, error);
    if (code == HIDRA_OK) own->shown.sequence = *number;
    if (extras.fate != UNSENT) own->doubtful = extras.fate == ANSWERED ? 0 : print_of(envelope, tensor);
    return code;
}

static hidra_code check_attaching(const hidra_attaching *attaching, hidra_error **error) {
    bool is_new = attaching->run == NULL || *attaching->run == 0;
    const struct { const char *given, *what; bool is_required; } all[] = {
        {attaching->head, "head's name", is_new}, {attaching->run, "run", false}, {attaching->encoder, "encoder's name", false},
        {attaching->kind, "kind of head", false}, {attaching->tap, "tap's name", false}, {attaching->precision, "precision", false},
        {attaching->optimiser, "optimiser's name", false}, {attaching->loss, "loss's name", false},
    };
    hidra_code code = HIDRA_OK;
    for (size_t i = 0; code == HIDRA_OK && i < sizeof all / sizeof *all; i++)
        code = hi_check_text(all[i].given, all[i].what, all[i].is_required, error);
    for (size_t i = 0; code == HIDRA_OK && i < attaching->label_count; i++)
        code = hi_check_text(attaching->labels[i], "label", true, error);
    return code == HIDRA_OK ? hi_check_inputs(attaching->inputs, attaching->input_count, error) : code;
}

static hidra_code attachment_of(struct message *reply, hidra_attachment **attachment, hidra_error **error) {
    const Hidra__V1__AttachReply *received = reply->envelope->attach_reply;
    hidra_code code = hi_result_create(attachment, sizeof(struct attachment), reply, error);
    if (code != HIDRA_OK) return code;
    **attachment = (hidra_attachment){
        .run = received->run, .sequence = received->sequence, .steps = received->steps, .parameters = received->parameters,
        .outputs = received->outputs, .loss = received->loss,
        .inputs = hi_inputs_of(hi_owned_arena(*attachment), received->inputs, received->n_inputs),
    };
    (*attachment)->input_count = (*attachment)->inputs == NULL ? 0 : received->n_inputs;
    return hi_result_finish(attachment, error);
}

hidra_code hidra_attach(
    hidra_client *client, const hidra_call *call, const hidra_attaching *attaching, hidra_attachment **attachment,
    hidra_error **error) {
    *attachment = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = check_attaching(attaching, error);
    if (code != HIDRA_OK) return code;
    struct arena arena = {0};
    Hidra__V1__HeadKind kind = HIDRA__V1__HEAD_KIND__INIT;
    hi_kind_set(&kind, attaching->kind, attaching->hidden, attaching->dropout, attaching->graph);
    Hidra__V1__Optimiser optimiser = HIDRA__V1__OPTIMISER__INIT;
    optimiser.name = text(attaching->optimiser);
    optimiser.learning_rate = attaching->learning_rate;
    optimiser.clip_norm = attaching->clip_norm;
    SET_OPTIONAL(&optimiser, OPTIMISER, WEIGHT_DECAY, weight_decay, attaching->weight_decay)
    SET_OPTIONAL(&optimiser, OPTIMISER, MOMENTUM, momentum, attaching->momentum)
    SET_OPTIONAL(&optimiser, OPTIMISER, BETA1, beta1, attaching->beta1)
    SET_OPTIONAL(&optimiser, OPTIMISER, BETA2, beta2, attaching->beta2)
    Hidra__V1__Loss loss = HIDRA__V1__LOSS__INIT;
    loss.name = text(attaching->loss);
    loss.label_smoothing = attaching->label_smoothing;
    loss.n_class_weights = attaching->class_weight_count;
    loss.class_weights = (float *)(uintptr_t)attaching->class_weights;
    Hidra__V1__AttachRequest request = HIDRA__V1__ATTACH_REQUEST__INIT;
    request.head = text(attaching->head);
    request.run = text(attaching->run);
    request.encoder = text(attaching->encoder);
    request.tap = text(attaching->tap);
    request.kind = &kind;
    request.inputs = hi_inputs_set(&arena, attaching->inputs, attaching->input_count);
    request.n_inputs = request.inputs == NULL ? 0 : attaching->input_count;
    request.precision = text(attaching->precision);
    request.task = (Hidra__V1__Task)attaching->task;
    request.n_labels = attaching->label_count;
    request.labels = texts(attaching->labels);
    request.optimiser = &optimiser;
    request.seed = attaching->seed;
    request.loss = &loss;
    request.replace = attaching->replace;
    request.checkpoint_steps = attaching->checkpoint_steps;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_ATTACH;
    envelope.attach = &request;
    struct message *reply = NULL;
    code = arena.exhausted ? hi_fail_memory(error)
        : hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_ATTACH_REPLY, &reply, error);
    hi_arena_free(&arena);
    return code == HIDRA_OK ? attachment_of(reply, attachment, error) : code;
}

hidra_code hidra_detach(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, bool keep, const hidra_metric *metrics,
    size_t metric_count, hidra_detached **detached, hidra_error **error) {
    if (detached != NULL) *detached = NULL;
    if (error != NULL) *error = NULL;
    struct arena arena = {0};
    hidra_code code = HIDRA_OK;
    Hidra__V1__DetachRequest__MetricsEntry *entries = hi_arena_array(&arena, metric_count, sizeof *entries);
    Hidra__V1__DetachRequest__MetricsEntry **list = hi_arena_array(&arena, metric_count, sizeof *list);
    for (size_t i = 0; list != NULL && code == HIDRA_OK && i < metric_count; i++) {
        code = hi_check_text(metrics[i].name, "name of a metric", true, error);
        hidra__v1__detach_request__metrics_entry__init(list[i] = &entries[i]);
        entries[i].key = text(metrics[i].name);
        entries[i].value = metrics[i].value;
    }
    if (code == HIDRA_OK && arena.exhausted) code = hi_fail_memory(error);
    Hidra__V1__DetachRequest request = HIDRA__V1__DETACH_REQUEST__INIT;
    request.run = text(attachment->run);
    request.keep = keep;
    request.metrics = list;
    request.n_metrics = metric_count;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_DETACH;
    envelope.detach = &request;
    struct message *reply = NULL;
    if (code == HIDRA_OK)
        code = hi_attachment_ask(client, call, attachment, &envelope, NULL, NULL, HIDRA__V1__ENVELOPE__KIND_DETACH_REPLY, &reply, error);
    hi_arena_free(&arena);
    if (code != HIDRA_OK || detached == NULL) {
        hi_message_free(reply);
        return code;
    }
    static const Hidra__V1__Run no_run = HIDRA__V1__RUN__INIT;
    static const Hidra__V1__Head no_head = HIDRA__V1__HEAD__INIT;
    const Hidra__V1__DetachReply *received = reply->envelope->detach_reply;
    code = hi_result_create(detached, sizeof **detached, reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__Run *run = received->run == NULL ? &no_run : received->run;
    **detached = (hidra_detached){
        .run = run->id, .state = run->state, .has_head = received->head != NULL,
        .head = hi_head_of(hi_owned_arena(*detached), received->head == NULL ? &no_head : received->head),
    };
    return hi_result_finish(detached, error);
}
