/* Heads: training, measuring, writing them out. */
#include <stdlib.h>

#include "callbacks.h"
#include "calls.h"

static hidra_code check_training(const hidra_training *training, hidra_error **error) {
    const struct { const char *given, *what; bool is_required; } all[] = {
        {training->head, "head's name", true}, {training->encoder, "encoder's name", true},
        {training->data, "name of the data set", true}, {training->input_column, "name of the input column", training->input_count == 0},
        {training->label_column, "name of the label column", true}, {training->test_data, "name of the test data set", false},
        {training->kind, "kind of head", false}, {training->label_separator, "label separator", false},
        {training->name_column, "name of the name column", false}, {training->tap, "tap's name", false},
        {training->precision, "precision", false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        hidra_code code = hi_check_text(all[i].given, all[i].what, all[i].is_required, error);
        if (code != HIDRA_OK) return code;
    }
    if (!(training->call_deadline >= 0)) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The deadline of calls is 0 (30) or more seconds.");
    return hi_check_inputs(training->inputs, training->input_count, error);
}

static void set_hyperparameters(Hidra__V1__Hyperparameters *target, const hidra_training *training) {
    target->epochs = training->epochs;
    target->learning_rate = training->learning_rate;
    target->batch_size = training->batch_size;
    target->patience = training->patience;
    target->class_weights = training->class_weights;
    target->seed_presence_case = HIDRA__V1__HYPERPARAMETERS__SEED_PRESENCE_SEED;
    target->seed = training->seed;
    SET_OPTIONAL(target, HYPERPARAMETERS, WEIGHT_DECAY, weight_decay, training->weight_decay)
    SET_OPTIONAL(target, HYPERPARAMETERS, WARMUP, warmup, training->warmup)
    SET_OPTIONAL(target, HYPERPARAMETERS, VALIDATION, validation, training->validation)
    SET_OPTIONAL(target, HYPERPARAMETERS, LABEL_SMOOTHING, label_smoothing, training->label_smoothing)
}

static hidra_evaluation evaluation_of(struct arena *arena, const Hidra__V1__EvaluateReply *received) {
    hidra_class_report *classes = hi_arena_array(arena, received->n_classes, sizeof *classes);
    for (size_t i = 0; classes != NULL && i < received->n_classes; i++) {
        const Hidra__V1__ClassReport *class = received->classes[i];
        classes[i] = (hidra_class_report){class->label, class->precision, class->recall, class->f1, class->support};
    }
    hidra_confusion *confusions = hi_arena_array(arena, received->n_confusions, sizeof *confusions);
    for (size_t i = 0; confusions != NULL && i < received->n_confusions; i++) {
        const Hidra__V1__Confusion *confusion = received->confusions[i];
        confusions[i] = (hidra_confusion){confusion->actual, confusion->predicted, confusion->count};
    }
    hidra_evaluation result = {
        .head = received->head, .rows = received->rows, .truncated_rows = received->truncated_rows, .seconds = received->seconds,
        .class_count = classes == NULL ? 0 : received->n_classes, .classes = classes,
        .confusion_count = confusions == NULL ? 0 : received->n_confusions, .confusions = confusions,
        .note_count = received->n_notes, .notes = names(received->notes),
    };
    SET_METRICS(&result, arena, received->n_metrics, received->metrics);
    return result;
}

static hidra_code trained_of(struct message *reply, hidra_trained **trained, hidra_error **error) {
    static const Hidra__V1__Head no_head = HIDRA__V1__HEAD__INIT;
    static const Hidra__V1__TrainingSummary no_summary = HIDRA__V1__TRAINING_SUMMARY__INIT;
    const Hidra__V1__TrainReply *received = reply->envelope->train_reply;
    hidra_code code = hi_result_create(trained, sizeof **trained, reply, error);
    if (code != HIDRA_OK) return code;
    struct arena *arena = hi_owned_arena(*trained);
    hidra_evaluation *test = received->test == NULL ? NULL : hi_arena_allocate(arena, sizeof *test);
    if (test != NULL) *test = evaluation_of(arena, received->test);
    const Hidra__V1__TrainingSummary *summary = received->summary == NULL ? &no_summary : received->summary;
    **trained = (hidra_trained){
        .head = hi_head_of(arena, received->head == NULL ? &no_head : received->head),
        .run = received->run == NULL ? "" : received->run->id, .test = test, .train_rows = summary->train_rows,
        .validation_rows = summary->validation_rows, .test_rows = summary->test_rows, .cache_hits = summary->cache_hits,
        .cache_misses = summary->cache_misses, .truncated_rows = summary->truncated_rows, .steps = summary->steps,
        .steps_per_second = summary->steps_per_second, .extract_seconds = summary->extract_seconds,
        .train_seconds = summary->train_seconds, .evaluate_seconds = summary->evaluate_seconds,
        .total_seconds = summary->total_seconds, .learning_rate = summary->learning_rate,
        .validation_score = summary->validation_score, .best_epoch = summary->best_epoch, .note_count = summary->n_notes,
        .notes = names(summary->notes),
    };
    return hi_result_finish(trained, error);
}

hidra_code hidra_train(
    hidra_client *client, const hidra_call *call, const hidra_training *training, hidra_trained **trained, hidra_error **error) {
    *trained = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = check_training(training, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Hyperparameters hyperparameters = HIDRA__V1__HYPERPARAMETERS__INIT;
    set_hyperparameters(&hyperparameters, training);
    Hidra__V1__HeadKind kind = HIDRA__V1__HEAD_KIND__INIT;
    hi_kind_set(&kind, training->kind, training->hidden, training->dropout, training->graph);
    struct arena arena = {0};
    struct extras extras = {.callbacks = training->callbacks};
    Hidra__V1__CallKind kinds[4];
    Hidra__V1__TrainRequest request = HIDRA__V1__TRAIN_REQUEST__INIT;
    request.head = text(training->head);
    request.encoder = text(training->encoder);
    request.task = (Hidra__V1__Task)training->task;
    request.data = text(training->data);
    request.input_column = text(training->input_column);
    request.label_column = text(training->label_column);
    request.test_data = text(training->test_data);
    request.holdout = training->holdout;
    request.kind = &kind;
    request.hyperparameters = &hyperparameters;
    request.label_separator = text(training->label_separator);
    request.tap = text(training->tap);
    request.replace = training->replace;
    request.name_column = text(training->name_column);
    request.precision = text(training->precision);
    request.inputs = hi_inputs_set(&arena, training->inputs, training->input_count);
    request.n_inputs = request.inputs == NULL ? 0 : training->input_count;
    request.calls = kinds;
    request.n_calls = hi_call_kinds(training->callbacks, kinds);
    double milliseconds = training->call_deadline * 1000;
    request.call_deadline_milliseconds = milliseconds < UINT32_MAX ? (uint32_t)milliseconds : UINT32_MAX;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_TRAIN;
    envelope.train = &request;
    struct message *reply = NULL;
    code = arena.exhausted ? hi_fail_memory(error)
        : hi_connection_exchange(client->connection, WORK, call, &envelope, &extras, HIDRA__V1__ENVELOPE__KIND_TRAIN_REPLY, &reply, error);
    hi_arena_free(&arena);
    return code == HIDRA_OK ? trained_of(reply, trained, error) : code;
}

static hidra_code check_measuring(const hidra_measuring *measuring, hidra_error **error) {
    const struct { const char *given, *what; bool is_required; } all[] = {
        {measuring->head, "head's name", true}, {measuring->data, "name of the data set", true},
        {measuring->input_column, "name of the input column", measuring->input_column_count == 0},
        {measuring->label_column, "name of the label column", true}, {measuring->label_separator, "label separator", false},
        {measuring->name_column, "name of the name column", false}, {measuring->precision, "precision", false},
    };
    hidra_code code = HIDRA_OK;
    for (size_t i = 0; code == HIDRA_OK && i < sizeof all / sizeof *all; i++)
        code = hi_check_text(all[i].given, all[i].what, all[i].is_required, error);
    for (size_t i = 0; code == HIDRA_OK && i < measuring->input_column_count; i++)
        code = hi_check_text(measuring->input_columns[i], "name of an input column", true, error);
    return code;
}

hidra_code hidra_evaluate(
    hidra_client *client, const hidra_call *call, const hidra_measuring *measuring, hidra_evaluation **evaluation,
    hidra_error **error) {
    *evaluation = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = check_measuring(measuring, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__EvaluateRequest request = HIDRA__V1__EVALUATE_REQUEST__INIT;
    request.head = text(measuring->head);
    request.data = text(measuring->data);
    request.input_column = text(measuring->input_column);
    request.n_input_columns = measuring->input_column_count;
    request.input_columns = texts(measuring->input_columns);
    request.label_column = text(measuring->label_column);
    request.label_separator = text(measuring->label_separator);
    request.name_column = text(measuring->name_column);
    request.precision = text(measuring->precision);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_EVALUATE;
    envelope.evaluate = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_EVALUATE_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__EvaluateReply *received = reply->envelope->evaluate_reply;
    code = hi_result_create(evaluation, sizeof **evaluation, reply, error);
    if (code != HIDRA_OK) return code;
    **evaluation = evaluation_of(hi_owned_arena(*evaluation), received);
    return hi_result_finish(evaluation, error);
}

hidra_code hidra_export(hidra_client *client, const hidra_call *call, const char *head, hidra_model **model, hidra_error **error) {
    *model = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(head, "head's name", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__ExportRequest request = HIDRA__V1__EXPORT_REQUEST__INIT;
    request.head = text(head);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_EXPORT;
    envelope.export = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_EXPORT_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    ProtobufCBinaryData received = reply->envelope->export_reply->model;
    code = hi_result_create(model, sizeof **model, reply, error);
    if (code == HIDRA_OK) **model = (hidra_model){received.data, received.len};
    return code;
}
