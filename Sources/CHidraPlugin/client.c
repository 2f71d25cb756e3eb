/* Connecting: find the daemon, or start it, and say hello. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"

enum { version = 1, exit_already_running = 5 };

static uint64_t or_default(uint64_t limit, uint64_t value) { return limit > 0 ? limit : value; }

static hidra_code greeted(hidra_client *client, struct message *reply, uint32_t promised, hidra_error **error) {
    const Hidra__V1__Welcome *welcome = reply->envelope->welcome;
    if (welcome->protocol != version) {
        hidra_code code = hi_fail(error, HIDRA_INCOMPATIBLE_VERSION,
            "hidrad %s speaks protocol %u to %u, this program %d. Stop it with `hidra stop` and install one version of both.",
            welcome->daemon_version, welcome->protocol_min, welcome->protocol_max, version);
        hi_message_free(reply);
        return code;
    }
    const Hidra__V1__Limits none = HIDRA__V1__LIMITS__INIT, *limits = welcome->limits == NULL ? &none : welcome->limits;
    hidra_welcome made = {
        .protocol = welcome->protocol, .protocol_min = welcome->protocol_min, .protocol_max = welcome->protocol_max,
        .daemon_version = welcome->daemon_version, .process_id = welcome->process_id,
        .message_bytes = or_default(limits->message_bytes, 64 << 20), .data_rows = or_default(limits->data_rows, 5000000),
        .data_bytes = or_default(limits->data_bytes, (uint64_t)2 << 30), .blob_bytes = or_default(limits->blob_bytes, (uint64_t)64 << 30),
        .texts_per_request = (uint32_t)or_default(limits->texts_per_request, 4096),
        /* A daemon that does not say it does not stream. */
        .texts_per_stream = (uint32_t)or_default(limits->texts_per_stream, or_default(limits->texts_per_request, 4096)),
        .capability_count = welcome->n_capabilities, .capabilities = names(welcome->capabilities),
    };
    struct connection *connection = client->connection;
    pthread_mutex_lock(&connection->mutex);
    connection->message_bytes = made.message_bytes < LARGEST_FRAME ? (size_t)made.message_bytes : (size_t)LARGEST_FRAME;
    /* Half of what the daemon allows, so that one late heartbeat does no harm. */
    double half = welcome->heartbeat_seconds / 2.0;
    if (half > 0 && half < connection->heartbeat) connection->heartbeat = half;
    if (promised > 0 && promised / 2.0 < connection->heartbeat) connection->heartbeat = promised / 2.0;
    pthread_mutex_unlock(&connection->mutex);
    hidra_code code = hi_result_create(&client->welcome, sizeof made, reply, error);
    if (code == HIDRA_OK) *client->welcome = made;
    return code;
}

/* One attempt: sockets, hello, welcome. */
static hidra_code greet(
    hidra_client *client, struct place *place, const char *name, uint32_t heartbeat, double silence, double deadline,
    hidra_error **error) {
    hidra_code code = place->is_remote ? HIDRA_OK : hi_place_sockets(place, error);
    if (code != HIDRA_OK) return code;
    code = hi_connection_open(&client->connection, place, silence, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__Hello hello = HIDRA__V1__HELLO__INIT;
    hello.protocol_min = hello.protocol_max = version;
    hello.client = text(name);
    hello.heartbeat_seconds = heartbeat;
    static char *capabilities[] = {"calls"};
    hello.n_capabilities = 1;
    hello.capabilities = capabilities;
    const char *token = client->takes_token ? getenv("HIDRA_PLUGIN_TOKEN") : NULL;
    /* A plugin that this daemon has started. */
    if (token != NULL && hi_is_utf8(token, strlen(token))) hello.plugin_token = text(token);
    /* The connection's thread sends one every five seconds or more often. */
    if (hello.heartbeat_seconds == 0) hello.heartbeat_seconds = 10;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_HELLO;
    envelope.hello = &hello;
    double left = deadline - hi_clock_now();
    hidra_call call = {.timeout = left > 0.001 ? left : 0.001};
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, CONTROL, &call, &envelope, HIDRA__V1__ENVELOPE__KIND_WELCOME, &reply, error);
    if (code == HIDRA_OK) code = greeted(client, reply, heartbeat, error);
    if (code == HIDRA_OK) return HIDRA_OK;
    hi_connection_close(client->connection);
    client->connection = NULL;
    if (code == HIDRA_TIMEOUT && error != NULL) {
        hidra_free(*error);
        if (place->is_remote)
            hi_fail(error, code, "hidrad at %s did not answer in time. Nothing lets packets through to it, or it has another key than the file names.",
                place->directory);
        else hi_fail(error, code, "A hidrad listens at %s but did not answer in time. If it stays so, end it; then connect again.", place->directory);
    }
    return code;
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != 0 ? value : NULL;
}

static void pause_for(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* Starts a daemon and tries until it answers, or is known not to. */
static hidra_code start(
    hidra_client *client, struct place *place, const hidra_options *options, const char *name, double silence, double deadline,
    hidra_error **error) {
    struct daemon_process daemon = {0};
    hidra_code code = hi_daemon_start(&daemon, place, options->daemon, error);
    while (code == HIDRA_OK) {
        pause_for(0.005);
        int status = 0;
        bool has_ended = hi_daemon_has_ended(&daemon, &status), is_late = hi_clock_now() >= deadline;
        /* An attempt while only some of its sockets are bound would wait for the others in vain. */
        hidra_code found = hi_place_sockets(place, NULL);
        if (found == HIDRA_OK && !hi_place_is_bound(place)) found = HIDRA_UNAVAILABLE;
        if (found == HIDRA_OK) found = greet(client, place, name, options->heartbeat, silence, deadline, error);
        else if (found != HIDRA_UNAVAILABLE) found = hi_place_sockets(place, error);
        if (found == HIDRA_OK) {
            pthread_mutex_lock(&client->connection->mutex);
            client->connection->daemon = daemon;
            pthread_mutex_unlock(&client->connection->mutex);
            return HIDRA_OK;
        }
        if (found != HIDRA_UNAVAILABLE) return found;
        if (error != NULL) {
            hidra_free(*error);
            *error = NULL;
        }
        if (has_ended && status != exit_already_running) return hi_daemon_failed(&daemon, place, "stopped at once", error);
        if (is_late) return hi_daemon_failed(&daemon, place, "did not answer in time", error);
        if (has_ended) {
            /* Another holds the home: one that was quicker, or one that is stopping and will let go. */
            pause_for(0.3);
            if (greet(client, place, name, options->heartbeat, silence, deadline, NULL) == HIDRA_OK) return HIDRA_OK;
            code = hi_daemon_start(&daemon, place, options->daemon, error);
        }
    }
    return code;
}

hidra_code hidra_connect(const hidra_options *options, hidra_client **result, hidra_error **error) {
    static const hidra_options plain = {0};
    *result = NULL;
    if (error != NULL) *error = NULL;
    if (options == NULL) options = &plain;
    if (!(options->timeout >= 0) || !(options->silence >= 0))
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "Time-outs are 0 (the default) or more seconds.");
    const char *name = options->client == NULL ? "C client" : options->client;
    hidra_code code = hi_check_text(name, "client's name", false, error);
    if (code != HIDRA_OK) return code;
    struct place place = {0};
    /* What is named goes before the environment, as in `hidra`. */
    bool is_named = options->home != NULL || options->key != NULL || options->server != NULL;
    const char *key = is_named ? options->key : variable("HIDRA_KEY"), *server = is_named ? options->server : variable("HIDRA_SERVER");
    if ((key != NULL || server != NULL) && options->home != NULL)
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "Give a key and a server, or a home, not both.");
    bool is_remote = key != NULL || server != NULL;
    code = is_remote ? hi_remote_place(&place, server, key, error) : hi_place_home(&place, options->home, error);
    if (code != HIDRA_OK) return code;
    hidra_client *client = calloc(1, sizeof *client);
    if (client == NULL) return hi_fail_memory(error);
    client->takes_token = options->home == NULL && !is_remote;
    double deadline = hi_clock_now() + (options->timeout > 0 ? options->timeout : 10);
    double silence = options->silence > 0 ? options->silence : 30;
    code = greet(client, &place, name, options->heartbeat, silence, deadline, error);
    if (code == HIDRA_UNAVAILABLE && options->start && !is_remote) {
        if (error != NULL) {
            hidra_free(*error);
            *error = NULL;
        }
        code = start(client, &place, options, name, silence, deadline, error);
    }
    if (code != HIDRA_OK) {
        free(client);
        return code;
    }
    *result = client;
    return HIDRA_OK;
}

hidra_code hidra_wait(hidra_client *client, const hidra_call *call, hidra_error **error) {
    if (error != NULL) *error = NULL;
    return hi_connection_wait(client->connection, call, error);
}

void hidra_goodbye(hidra_client *client) {
    if (client == NULL) return;
    hi_connection_close(client->connection);
    hidra_free(client->welcome);
    free(client);
}

const hidra_welcome *hidra_greeting(const hidra_client *client) { return client->welcome; }

bool hidra_has_capability(const hidra_client *client, const char *name) {
    for (size_t i = 0; i < client->welcome->capability_count; i++)
        if (strcmp(client->welcome->capabilities[i], name) == 0) return true;
    return false;
}

size_t hidra_cancel(hidra_client *client, uint64_t tag) { return hi_connection_cancel(client->connection, tag); }
