#include "connection.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>

#include "callbacks.h"
#include "calls.h"

/* The daemon learns of a cancellation again and again, for the first may come before the request; after so many seconds the
 * call ends without its last reply. */
static const double cancel_again = 0.2, cancel_patience = 5;

double hi_clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool open_socket(struct connection *connection, enum channel channel, const unsigned char identity[static 16]) {
    static const char *const names[] = {"control", "work"};
    const struct place *place = &connection->place;
    char endpoint[sizeof place->directory + 32], monitor[32];
    if (place->is_remote) hi_remote_endpoint(place, (int)channel, endpoint, sizeof endpoint);
    else snprintf(endpoint, sizeof endpoint, "ipc://%s/%s.sock", place->directory, names[channel]);
    snprintf(monitor, sizeof monitor, "inproc://monitor-%s", names[channel]);
    int64_t largest = LARGEST_FRAME;
    /* A daemon that comes back knows nothing of our requests: a lost connection is closed long before this. */
    int reconnect = 600000, linger = 0;
    void *socket = connection->sockets[channel] = zmq_socket(connection->context, ZMQ_DEALER);
    void *pair = connection->monitors[channel] = zmq_socket(connection->context, ZMQ_PAIR);
    return socket != NULL && pair != NULL && (!place->is_remote || hi_remote_secure(place, socket)) &&
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, identity, 16) == 0 &&
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0 &&
        zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &reconnect, sizeof reconnect) == 0 &&
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_setsockopt(pair, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_socket_monitor(socket, monitor, ZMQ_EVENT_ALL) == 0 && zmq_connect(pair, monitor) == 0 &&
        zmq_connect(socket, endpoint) == 0;
}

static bool start_thread(struct connection *connection) {
    /* Signals are the program's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&connection->thread, NULL, hi_connection_run, connection);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) errno = code;
    return code == 0;
}

static void destroy(struct connection *connection) {
    while (connection->context != NULL && zmq_ctx_term(connection->context) != 0 && errno == EINTR) {}
    if (connection->wake >= 0) close(connection->wake);
    for (enum channel channel = CONTROL; channel < channel_count; channel++) hi_queue_free(&connection->outbox[channel]);
    pthread_mutex_destroy(&connection->mutex);
    free(connection);
}

hidra_code hi_connection_open(struct connection **result, const struct place *place, double silence, hidra_error **error) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) return hi_fail_memory(error);
    pthread_mutex_init(&connection->mutex, NULL);
    connection->place = *place;
    connection->process = getpid();
    connection->silence = silence;
    connection->heartbeat = silence / 3 < 5 ? silence / 3 : 5;
    connection->next_heartbeat = hi_clock_now() + connection->heartbeat;
    connection->message_bytes = (size_t)64 << 20;
    connection->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    connection->context = zmq_ctx_new();
    /* The same for both sockets, so that the daemon knows them as one client. Zero begins libzmq's own ids. */
    unsigned char identity[16] = {0};
    bool is_open = connection->wake >= 0 && connection->context != NULL;
    while (is_open && identity[0] == 0) is_open = getrandom(identity, sizeof identity, 0) == (ssize_t)sizeof identity;
    for (enum channel channel = CONTROL; is_open && channel < channel_count; channel++)
        is_open = open_socket(connection, channel, identity);
    if (is_open && start_thread(connection)) {
        *result = connection;
        return HIDRA_OK;
    }
    hidra_code code = hi_fail(error, HIDRA_INTERNAL, "Could not open a connection: %s.", zmq_strerror(errno));
    for (enum channel channel = CONTROL; channel < channel_count; channel++) {
        if (connection->monitors[channel] != NULL) zmq_close(connection->monitors[channel]);
        if (connection->sockets[channel] != NULL) zmq_close(connection->sockets[channel]);
    }
    destroy(connection);
    return code;
}

void hi_connection_close(struct connection *connection) {
    /* In the child of a fork there is no thread; what it held is the parent's. */
    if (connection == NULL || connection->process != getpid()) return;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__Goodbye goodbye = HIDRA__V1__GOODBYE__INIT;
    goodbye.reason = "closed by the client";
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_GOODBYE;
    envelope.goodbye = &goodbye;
    pthread_mutex_lock(&connection->mutex);
    hi_connection_enqueue(connection, CONTROL, &envelope, NULL);
    connection->closing = hi_clock_now() + 0.5;
    pthread_mutex_unlock(&connection->mutex);
    hi_connection_wake(connection);
    pthread_join(connection->thread, NULL);
    /* One that was killed takes a moment to be gone with all its threads. */
    bool is_gone = connection->ended == HIDRA_UNAVAILABLE;
    for (int i = 0; !hi_daemon_has_ended(&connection->daemon, NULL) && is_gone && connection->daemon.id > 0 && i < 40; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    destroy(connection);
}

size_t hi_connection_cancel(struct connection *connection, uint64_t tag) {
    size_t count = 0;
    if (connection->process != getpid()) return 0;
    pthread_mutex_lock(&connection->mutex);
    for (struct request *request = connection->requests; request != NULL; request = request->next) {
        if ((tag != 0 && request->tag != tag) || request->cancelled > 0 || request->reply != NULL) continue;
        request->cancelled = hi_clock_now();
        hi_connection_enqueue_cancel(connection, request->id);
        pthread_cond_signal(&request->changed);
        count++;
    }
    pthread_mutex_unlock(&connection->mutex);
    hi_connection_wake(connection);
    return count;
}

/* Under the mutex, except while the caller's function runs. */
static void answer(
    struct connection *connection, struct request *request, struct message *message, const struct hidra_callbacks *callbacks) {
    /* Nobody waits for the result any more. */
    if (request->reply != NULL || request->cancelled > 0 || connection->ended != HIDRA_OK) {
        hi_message_free(message);
        return;
    }
    pthread_mutex_unlock(&connection->mutex);
    struct call_answer made = {0};
    hi_call_answer(&made, message, callbacks, connection->message_bytes);
    pthread_mutex_lock(&connection->mutex);
    if (connection->ended == HIDRA_OK) {
        made.envelope.request_id = ++connection->last_id;
        /* Without memory for it the daemon hears nothing, and gives the call up at its deadline. */
        hi_connection_enqueue(connection, WORK, &made.envelope, &made.tensor);
        hi_connection_wake(connection);
    }
    hi_arena_free(&made.arena);
    hi_message_free(message);
}

/* Under the mutex, except while the caller's function runs. */
static void report(
    struct connection *connection, struct request *request, const hidra_call *call, const struct extras *extras) {
    struct message *message = request->reports;
    request->reports = message->next;
    if (--request->report_count == 0) request->latest = NULL;
    Hidra__V1__Envelope__KindCase kind = message->envelope->kind_case;
    if (kind == HIDRA__V1__ENVELOPE__KIND_CALL) {
        answer(connection, request, message, extras->callbacks);
        return;
    }
    bool is_part = kind != HIDRA__V1__ENVELOPE__KIND_PROGRESS;
    if (is_part ? extras->part == NULL || request->cancelled > 0 : call->progress == NULL) {
        hi_message_free(message);
        return;
    }
    pthread_mutex_unlock(&connection->mutex);
    int stop;
    if (is_part) stop = extras->part(message, extras->part_context);
    else {
        hidra_progress progress = hi_progress_of(&message->arena, message->envelope->progress);
        stop = call->progress(&progress, call->context);
        hi_message_free(message);
    }
    pthread_mutex_lock(&connection->mutex);
    if (stop != 0 && request->cancelled == 0) {
        request->cancelled = hi_clock_now();
        hi_connection_enqueue_cancel(connection, request->id);
        hi_connection_wake(connection);
    }
}

static void wait_until(struct connection *connection, struct request *request, double time) {
    if (!isfinite(time)) {
        pthread_cond_wait(&request->changed, &connection->mutex);
        return;
    }
    struct timespec end = {.tv_sec = (time_t)time, .tv_nsec = (long)((time - floor(time)) * 1e9)};
    pthread_cond_timedwait(&request->changed, &connection->mutex, &end);
}

/* Under the mutex. Until there is a reply (HIDRA_OK) or none will come. */
static hidra_code await(
    struct connection *connection, struct request *request, const hidra_call *call, const struct extras *extras,
    double deadline, double silence, hidra_error **error) {
    double told = 0; /* when the daemon was last told of the cancellation */
    while (true) {
        double now = hi_clock_now();
        if (request->report_count > 0) report(connection, request, call, extras);
        else if (request->reply != NULL) return HIDRA_OK;
        else if (connection->ended != HIDRA_OK) return hi_fail(error, connection->ended, "%s", connection->end_message);
        else if (request->is_silent)
            return hi_fail(error, HIDRA_TIMEOUT,
                        "hidrad has not answered for %g s. Is it stopped or overloaded? `hidra status` asks again; its log is "
                        "hidrad.log in the home directory.", silence);
        else if (now >= deadline)
            return hi_fail(error, HIDRA_TIMEOUT, "The call took longer than it was given and was cancelled. Allow it more time.");
        else if (request->cancelled > 0) {
            if (now >= request->cancelled + cancel_patience)
                return hi_fail(error, HIDRA_CANCELLED, "The call was cancelled; hidrad has not yet said that it has stopped.");
            if (told == 0) told = request->cancelled;
            if (now >= told + cancel_again) {
                hi_connection_enqueue_cancel(connection, request->id);
                hi_connection_wake(connection);
                told = now;
            }
            wait_until(connection, request, fmin(told + cancel_again, deadline));
        } else wait_until(connection, request, deadline);
    }
}

/* Under the mutex. */
static void take_out(struct connection *connection, struct request *request, bool is_abandoned) {
    struct request **place = &connection->requests;
    while (*place != request) place = &(*place)->next;
    *place = request->next;
    while (request->reports != NULL) {
        struct message *next = request->reports->next;
        hi_message_free(request->reports);
        request->reports = next;
    }
    if (!is_abandoned || connection->ended != HIDRA_OK) return;
    connection->abandoned[connection->abandoned_count++ % 64] = request->id;
    hi_connection_enqueue_cancel(connection, request->id);
}

/* Under the mutex. */
static hidra_code start(
    struct connection *connection, enum channel channel, Hidra__V1__Envelope *envelope, const hidra_bytes *tensors,
    struct request *request, hidra_error **error) {
    if (connection->ended != HIDRA_OK) return hi_fail(error, connection->ended, "%s", connection->end_message);
    request->id = envelope->request_id = ++connection->last_id;
    if (!hi_connection_enqueue(connection, channel, envelope, tensors)) return hi_fail_memory(error);
    request->next = connection->requests;
    connection->requests = request;
    return HIDRA_OK;
}

/* The largest frame of a request. */
static size_t largest_frame(const Hidra__V1__Envelope *envelope, const hidra_bytes *tensors) {
    size_t size = hidra__v1__envelope__get_packed_size(envelope) + 10;
    for (size_t i = 0; i < envelope->n_tensors; i++)
        if (tensors[i].size > size) size = tensors[i].size;
    return size;
}

hidra_code hi_connection_ask(
    struct connection *connection, enum channel channel, const hidra_call *call, Hidra__V1__Envelope *envelope,
    Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error) {
    return hi_connection_exchange(connection, channel, call, envelope, NULL, expected, reply, error);
}

hidra_code hi_connection_exchange(
    struct connection *connection, enum channel channel, const hidra_call *call, Hidra__V1__Envelope *envelope, struct extras *extras,
    Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error) {
    struct extras none = {0};
    if (extras == NULL) extras = &none;
    static const hidra_call plain = {0};
    if (call == NULL) call = &plain;
    if (!(call->timeout >= 0)) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The time-out of a call is 0 (none) or more seconds.");
    if (connection->process != getpid())
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "This client belongs to the process that was forked. Connect anew.");
    size_t size = largest_frame(envelope, extras->tensors), limit = channel == CONTROL ? 1 << 20 : connection->message_bytes;
    if (size > limit) {
        hi_fail(error, HIDRA_LIMIT_EXCEEDED, "The request has %zu bytes; hidrad takes %zu. Send it in parts.", size, limit);
        hi_fail_detail(error, "limit", "%zu", limit);
        return HIDRA_LIMIT_EXCEEDED;
    }
    /* Time-outs beyond a year are none: a clock's seconds hold them. */
    double deadline = call->timeout > 0 && call->timeout < 3e7 ? hi_clock_now() + call->timeout : INFINITY;
    struct request request = {.tag = call->tag, .takes_parts = extras->part != NULL};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&request.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);

    pthread_mutex_lock(&connection->mutex);
    hidra_code code = start(connection, channel, envelope, extras->tensors, &request, error);
    if (code == HIDRA_OK) {
        extras->fate = SENT;
        hi_connection_wake(connection);
        code = await(connection, &request, call, extras, deadline, connection->silence, error);
        take_out(connection, &request, code != HIDRA_OK);
        if (code != HIDRA_OK) hi_connection_wake(connection);
    }
    pthread_mutex_unlock(&connection->mutex);
    pthread_cond_destroy(&request.changed);
    if (code != HIDRA_OK) {
        hi_message_free(request.reply);
        return code;
    }
    extras->fate = ANSWERED;
    if (request.reply->envelope->kind_case == expected) {
        request.reply->was_cancelled = request.cancelled > 0;
        *reply = request.reply;
        return HIDRA_OK;
    }
    if (request.reply->envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_ERROR)
        code = hi_fail_received(error, &request.reply->arena, request.reply->envelope->error);
    else code = hi_fail(error, HIDRA_INTERNAL, "hidrad answered with another kind of message than was asked for. Are both of one version?");
    hi_message_free(request.reply);
    return code;
}

hidra_code hi_connection_wait(struct connection *connection, const hidra_call *call, hidra_error **error) {
    static const hidra_call plain = {0};
    if (call == NULL) call = &plain;
    if (!(call->timeout >= 0)) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The time-out of a call is 0 (none) or more seconds.");
    if (connection->process != getpid())
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "This client belongs to the process that was forked. Connect anew.");
    double deadline = call->timeout > 0 && call->timeout < 3e7 ? hi_clock_now() + call->timeout : INFINITY;
    /* A request that is never sent, and so never answered: what ends its waiting is the connection's end. */
    struct request request = {.tag = call->tag};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&request.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_lock(&connection->mutex);
    request.id = ++connection->last_id;
    request.next = connection->requests;
    connection->requests = &request;
    hidra_code code = await(connection, &request, call, &(struct extras){0}, deadline, connection->silence, error);
    take_out(connection, &request, false);
    pthread_mutex_unlock(&connection->mutex);
    pthread_cond_destroy(&request.changed);
    return code;
}
