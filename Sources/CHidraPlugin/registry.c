/* The daemon's state, and what it has: status, list, remove, pull, jobs. */
#include "calls.h"

hidra_code hidra_cancel_job(hidra_client *client, const hidra_call *call, const char *job, bool *cancelled, hidra_error **error) {
    if (error != NULL) *error = NULL;
    if (cancelled != NULL) *cancelled = false;
    hidra_code code = hi_check_text(job, "job", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__CancelRequest request = HIDRA__V1__CANCEL_REQUEST__INIT;
    request.target_case = HIDRA__V1__CANCEL_REQUEST__TARGET_JOB;
    request.job = text(job);
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_CANCEL;
    envelope.cancel = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, CONTROL, call, &envelope, HIDRA__V1__ENVELOPE__KIND_CANCEL_REPLY, &reply, error);
    if (code == HIDRA_OK && cancelled != NULL) *cancelled = reply->envelope->cancel_reply->cancelled;
    hi_message_free(reply);
    return code;
}

static void set_jobs(hidra_state *state, const Hidra__V1__StatusReply *received, struct arena *arena) {
    hidra_job *jobs = hi_arena_array(arena, received->n_jobs, sizeof *jobs);
    static const Hidra__V1__Progress none = HIDRA__V1__PROGRESS__INIT;
    for (size_t i = 0; jobs != NULL && i < received->n_jobs; i++) {
        const Hidra__V1__Job *job = received->jobs[i];
        jobs[i] = (hidra_job){
            .id = job->id, .kind = job->kind, .subject = job->subject, .client = job->client, .elapsed_seconds = job->elapsed_seconds,
            .progress = hi_progress_of(arena, job->progress == NULL ? &none : job->progress),
        };
    }
    state->jobs = jobs;
    state->job_count = jobs == NULL ? 0 : received->n_jobs;
}

static void set_encoders(hidra_state *state, const Hidra__V1__StatusReply *received, struct arena *arena) {
    hidra_loaded_encoder *encoders = hi_arena_array(arena, received->n_encoders, sizeof *encoders);
    for (size_t i = 0; encoders != NULL && i < received->n_encoders; i++) {
        const Hidra__V1__LoadedEncoder *encoder = received->encoders[i];
        encoders[i] = (hidra_loaded_encoder){encoder->name, encoder->precision, encoder->weight_bytes, encoder->idle_seconds};
    }
    state->encoders = encoders;
    state->encoder_count = encoders == NULL ? 0 : received->n_encoders;
}

hidra_code hidra_status(hidra_client *client, const hidra_call *call, hidra_state **state, hidra_error **error) {
    *state = NULL;
    if (error != NULL) *error = NULL;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__StatusRequest request = HIDRA__V1__STATUS_REQUEST__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_STATUS;
    envelope.status = &request;
    struct message *reply = NULL;
    hidra_code code =
        hi_connection_ask(client->connection, CONTROL, call, &envelope, HIDRA__V1__ENVELOPE__KIND_STATUS_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__StatusReply *received = reply->envelope->status_reply;
    code = hi_result_create(state, sizeof **state, reply, error);
    if (code != HIDRA_OK) return code;
    **state = (hidra_state){
        .daemon_version = received->daemon_version, .home = received->home, .kernels = received->kernels,
        .process_id = received->process_id, .threads = received->threads, .clients = received->clients,
        .waiting_interactive = received->waiting_interactive, .waiting_training = received->waiting_training,
        .uptime_seconds = received->uptime_seconds, .resident_bytes = received->resident_bytes,
        .feature_cache_bytes = received->feature_cache_bytes, .feature_cache_rows = received->feature_cache_rows,
    };
    set_encoders(*state, received, hi_owned_arena(*state));
    set_jobs(*state, received, hi_owned_arena(*state));
    return hi_result_finish(state, error);
}

hidra_code hidra_list(hidra_client *client, const hidra_call *call, hidra_registry **registry, hidra_error **error) {
    *registry = NULL;
    if (error != NULL) *error = NULL;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__ListRequest request = HIDRA__V1__LIST_REQUEST__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_LIST;
    envelope.list = &request;
    struct message *reply = NULL;
    hidra_code code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_LIST_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__ListReply *received = reply->envelope->list_reply;
    code = hi_result_create(registry, sizeof **registry, reply, error);
    if (code != HIDRA_OK) return code;
    struct arena *arena = hi_owned_arena(*registry);
    hidra_encoder *encoders = hi_arena_array(arena, received->n_encoders, sizeof *encoders);
    hidra_head *heads = hi_arena_array(arena, received->n_heads, sizeof *heads);
    for (size_t i = 0; encoders != NULL && i < received->n_encoders; i++) encoders[i] = hi_encoder_of(received->encoders[i]);
    for (size_t i = 0; heads != NULL && i < received->n_heads; i++) heads[i] = hi_head_of(arena, received->heads[i]);
    **registry = (hidra_registry){
        .encoder_count = encoders == NULL ? 0 : received->n_encoders, .encoders = encoders,
        .head_count = heads == NULL ? 0 : received->n_heads, .heads = heads,
    };
    return hi_result_finish(registry, error);
}

hidra_code hidra_remove(
    hidra_client *client, const hidra_call *call, const char *name, bool with_heads, hidra_names **removed, hidra_error **error) {
    if (removed != NULL) *removed = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(name, "name", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__RemoveRequest request = HIDRA__V1__REMOVE_REQUEST__INIT;
    request.name = text(name);
    request.with_heads = with_heads;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_REMOVE;
    envelope.remove = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_REMOVE_REPLY, &reply, error);
    if (code != HIDRA_OK || removed == NULL) {
        hi_message_free(reply);
        return code;
    }
    const Hidra__V1__RemoveReply *received = reply->envelope->remove_reply;
    code = hi_result_create(removed, sizeof **removed, reply, error);
    if (code == HIDRA_OK) **removed = (hidra_names){received->n_removed, names(received->removed), received->bytes_freed};
    return code;
}

hidra_code hidra_pull(
    hidra_client *client, const hidra_call *call, const char *source, const char *name, hidra_encoder **encoder, hidra_error **error) {
    *encoder = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(source, "source", true, error);
    if (code == HIDRA_OK) code = hi_check_text(name, "name", false, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__PullRequest request = HIDRA__V1__PULL_REQUEST__INIT;
    request.source = text(source);
    request.name = text(name);
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_PULL;
    envelope.pull = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_PULL_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    static const Hidra__V1__Encoder none = HIDRA__V1__ENCODER__INIT;
    const Hidra__V1__Encoder *received = reply->envelope->pull_reply->encoder;
    code = hi_result_create(encoder, sizeof **encoder, reply, error);
    if (code == HIDRA_OK) **encoder = hi_encoder_of(received == NULL ? &none : received);
    return code;
}

hidra_code hidra_replay(hidra_client *client, const hidra_call *call, uint64_t from, hidra_events **result, hidra_error **error) {
    *result = NULL;
    if (error != NULL) *error = NULL;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__ReplayRequest request = HIDRA__V1__REPLAY_REQUEST__INIT;
    request.from_sequence = from;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_REPLAY;
    envelope.replay = &request;
    struct message *reply = NULL;
    hidra_code code =
        hi_connection_ask(client->connection, CONTROL, call, &envelope, HIDRA__V1__ENVELOPE__KIND_REPLAY_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__ReplayReply *received = reply->envelope->replay_reply;
    code = hi_result_create(result, sizeof **result, reply, error);
    if (code != HIDRA_OK) return code;
    struct arena *arena = hi_owned_arena(*result);
    hidra_event *events = hi_arena_array(arena, received->n_events, sizeof *events);
    for (size_t i = 0; events != NULL && i < received->n_events; i++) {
        const Hidra__V1__Event *event = received->events[i];
        hidra_detail *values = hi_arena_array(arena, event->n_values, sizeof *values);
        for (size_t k = 0; values != NULL && k < event->n_values; k++)
            values[k] = (hidra_detail){event->values[k]->key, event->values[k]->value};
        events[i] = (hidra_event){
            event->sequence, event->time, event->name, event->subject, values == NULL ? 0 : event->n_values, values};
    }
    **result = (hidra_events){
        .epoch = received->epoch, .oldest = received->oldest_sequence, .newest = received->newest_sequence,
        .count = events == NULL ? 0 : received->n_events, .events = events,
    };
    return hi_result_finish(result, error);
}
