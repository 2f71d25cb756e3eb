/* The connection's thread: sends, receives, looks for signs of life, until the connection is closed or lost. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

/* Messages taken from one socket before the other things are looked after. */
enum { most_at_once = 256, most_reports = 1024 };

/* Frames that were sent are closed already. */
static void free_message(struct outgoing *message) {
    for (size_t i = message->sent; i < message->count; i++) zmq_msg_close(&message->frames[i]);
    free(message);
}

void hi_queue_free(struct queue *queue) {
    while (queue->first != NULL) {
        struct outgoing *message = queue->first;
        queue->first = message->next;
        free_message(message);
    }
    queue->last = NULL;
}

static void append(struct queue *queue, struct queue *more) {
    if (more->first == NULL) return;
    if (queue->first == NULL) queue->first = more->first;
    else queue->last->next = more->first;
    queue->last = more->last;
    *more = (struct queue){0};
}

bool hi_connection_enqueue(
    struct connection *connection, enum channel channel, const Hidra__V1__Envelope *envelope, const hidra_bytes *tensors) {
    size_t count = 1 + envelope->n_tensors;
    struct outgoing *message = calloc(1, sizeof *message + count * sizeof *message->frames);
    if (message == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        size_t size = i == 0 ? hidra__v1__envelope__get_packed_size(envelope) : tensors[i - 1].size;
        if (zmq_msg_init_size(&message->frames[i], size) != 0) {
            free_message(message);
            return false;
        }
        message->count++;
        if (i > 0 && size > 0) memcpy(zmq_msg_data(&message->frames[i]), tensors[i - 1].data, size);
    }
    hidra__v1__envelope__pack(envelope, zmq_msg_data(&message->frames[0]));
    struct queue one = {message, message};
    append(&connection->outbox[channel], &one);
    return true;
}

bool hi_connection_enqueue_cancel(struct connection *connection, uint64_t id) {
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__CancelRequest cancel = HIDRA__V1__CANCEL_REQUEST__INIT;
    cancel.target_case = HIDRA__V1__CANCEL_REQUEST__TARGET_OPEN_REQUEST_ID;
    cancel.open_request_id = id;
    envelope.request_id = ++connection->last_id;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_CANCEL;
    envelope.cancel = &cancel;
    return hi_connection_enqueue(connection, CONTROL, &envelope, NULL);
}

void hi_connection_wake(struct connection *connection) {
    uint64_t one = 1;
    /* Fails only when the counter is full, and then it wakes already. */
    while (write(connection->wake, &one, sizeof one) < 0 && errno == EINTR) {}
}

static void end(struct connection *connection, hidra_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void end(struct connection *connection, hidra_code code, const char *format, ...) {
    pthread_mutex_lock(&connection->mutex);
    if (connection->ended == HIDRA_OK) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(connection->end_message, sizeof connection->end_message, format, arguments);
        va_end(arguments);
        /* One that is too long is cut, between characters. */
        for (size_t length = strlen(connection->end_message); !hi_is_utf8(connection->end_message, length);)
            connection->end_message[--length] = 0;
        connection->ended = code;
    }
    for (struct request *request = connection->requests; request != NULL; request = request->next)
        pthread_cond_broadcast(&request->changed);
    pthread_mutex_unlock(&connection->mutex);
}

/* Calls are answered and parts of answers taken, one and all; of progress, what has a note is read. */
static bool must_stay(const struct message *report) {
    return report->envelope->kind_case != HIDRA__V1__ENVELOPE__KIND_PROGRESS || *report->envelope->progress->note != 0;
}

/* Under the mutex. A report without a note gives way to the next: the caller is slower than they come. */
static void add_report(struct request *request, struct message *report) {
    if (request->report_count > 0 && !must_stay(request->latest)) {
        struct message **place = &request->reports;
        while (*place != request->latest) place = &(*place)->next;
        hi_message_free(request->latest);
        *place = NULL;
        request->report_count--;
    }
    if (request->report_count >= most_reports && report->envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_PROGRESS) {
        hi_message_free(report);
        return;
    }
    struct message **place = &request->reports;
    while (*place != NULL) place = &(*place)->next;
    *place = request->latest = report;
    request->report_count++;
    pthread_cond_signal(&request->changed);
}

/* Under the mutex. Takes over the message. */
static void dispatch(struct connection *connection, struct message *message) {
    uint64_t id = message->envelope->request_id;
    bool is_partial = message->envelope->part == HIDRA__V1__PART__PART_PARTIAL;
    struct request *request = connection->requests;
    while (request != NULL && request->id != id) request = request->next;
    if (request != NULL && request->reply == NULL) {
        if (!is_partial) {
            request->reply = message;
            pthread_cond_signal(&request->changed);
            return;
        }
        if (message->envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_PROGRESS ||
            (request->takes_parts && message->envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_PREDICT_REPLY) ||
            message->envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_CALL) {
            add_report(request, message);
            return;
        }
    }
    for (size_t i = 0; request == NULL && is_partial && i < 64 && i < connection->abandoned_count; i++)
        /* The daemon works on it: the cancellation came before the request did. */
        if (connection->abandoned[i] == id) hi_connection_enqueue_cancel(connection, id);
    hi_message_free(message);
}

/* What belongs to no request. Whether it ends the connection. */
static bool is_farewell(struct connection *connection, const Hidra__V1__Envelope *envelope) {
    if (envelope->request_id != 0) return false;
    if (envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_GOODBYE) {
        end(connection, HIDRA_UNAVAILABLE, "hidrad closed the connection: %s", envelope->goodbye->reason);
        return true;
    }
    if (envelope->kind_case == HIDRA__V1__ENVELOPE__KIND_ERROR) {
        end(connection, hi_code_named(envelope->error->code), "%s", envelope->error->message);
        return true;
    }
    return false;
}

/* False when the connection is over. */
static bool receive(struct connection *connection, enum channel channel) {
    for (int i = 0; i < most_at_once; i++) {
        struct message *message = NULL;
        switch (hi_message_receive(connection->sockets[channel], &message)) {
        case RECEIVED_NOTHING: return true;
        case RECEIVED_GARBAGE:
            end(connection, HIDRA_INTERNAL, "hidrad sent a message that cannot be read. Are both of one version?");
            return false;
        case RECEIVED_NO_MEMORY:
            end(connection, HIDRA_OUT_OF_MEMORY, "There is no memory for what hidrad has sent.");
            return false;
        case RECEIVED_MESSAGE: break;
        }
        if (is_farewell(connection, message->envelope)) {
            hi_message_free(message);
            return false;
        }
        pthread_mutex_lock(&connection->mutex);
        connection->silent_since = 0;
        dispatch(connection, message);
        pthread_mutex_unlock(&connection->mutex);
    }
    return true;
}

/* Whether a socket's connection is lost, or could not be made. */
static bool is_lost(struct connection *connection, enum channel channel) {
    bool lost = false;
    while (true) {
        zmq_msg_t head, endpoint;
        zmq_msg_init(&head);
        if (zmq_msg_recv(&head, connection->monitors[channel], ZMQ_DONTWAIT) < 2) {
            zmq_msg_close(&head);
            return lost;
        }
        uint16_t event;
        memcpy(&event, zmq_msg_data(&head), sizeof event);
        zmq_msg_close(&head);
        zmq_msg_init(&endpoint);
        zmq_msg_recv(&endpoint, connection->monitors[channel], ZMQ_DONTWAIT);
        zmq_msg_close(&endpoint);
        connection->is_refused |= event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && channel == CONTROL) connection->is_connected = true;
        lost |= (event & (ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)) != 0;
    }
}

static void flush(struct connection *connection, enum channel channel) {
    struct queue *queue = &connection->unsent[channel];
    while (queue->first != NULL) {
        struct outgoing *message = queue->first;
        for (; message->sent < message->count; message->sent++) {
            int flags = message->sent + 1 < message->count ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT;
            if (zmq_msg_send(&message->frames[message->sent], connection->sockets[channel], flags) < 0) return;
        }
        queue->first = message->next;
        if (queue->first == NULL) queue->last = NULL;
        free_message(message);
    }
}

/* Takes over what is to be sent, sees to heartbeats and silence. Seconds until there is something to do again. */
static double look_after(struct connection *connection, double *closing) {
    double now = hi_clock_now();
    pthread_mutex_lock(&connection->mutex);
    if (now >= connection->next_heartbeat && connection->unsent[CONTROL].first == NULL && connection->closing == 0) {
        Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
        Hidra__V1__Heartbeat heartbeat = HIDRA__V1__HEARTBEAT__INIT;
        envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_HEARTBEAT;
        envelope.heartbeat = &heartbeat;
        hi_connection_enqueue(connection, CONTROL, &envelope, NULL);
    }
    if (now >= connection->next_heartbeat || connection->next_heartbeat > now + connection->heartbeat)
        connection->next_heartbeat = now + connection->heartbeat;
    for (enum channel channel = CONTROL; channel < channel_count; channel++) {
        if (connection->outbox[channel].first != NULL && connection->silent_since == 0) connection->silent_since = now;
        append(&connection->unsent[channel], &connection->outbox[channel]);
    }
    double next = connection->next_heartbeat;
    if (connection->silent_since > 0) {
        double expiry = connection->silent_since + connection->silence;
        if (now > expiry) {
            for (struct request *request = connection->requests; request != NULL; request = request->next) {
                request->is_silent = true;
                pthread_cond_signal(&request->changed);
            }
            connection->silent_since = 0; /* the next request gets its full time */
        } else if (expiry < next) {
            next = expiry;
        }
    }
    *closing = connection->closing;
    if (*closing > 0 && *closing < next) next = *closing;
    hi_daemon_has_ended(&connection->daemon, NULL);
    pthread_mutex_unlock(&connection->mutex);
    return next > now ? next - now : 0;
}

static void loop(struct connection *connection) {
    while (true) {
        double closing, wait = look_after(connection, &closing);
        bool is_waiting = false;
        for (enum channel channel = CONTROL; channel < channel_count; channel++) {
            flush(connection, channel);
            is_waiting |= connection->unsent[channel].first != NULL;
        }
        if (closing > 0 && (!is_waiting || hi_clock_now() >= closing)) {
            end(connection, HIDRA_CANCELLED, "The client was closed before the daemon had answered.");
            return;
        }
        short control = connection->unsent[CONTROL].first != NULL ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
        short work = connection->unsent[WORK].first != NULL ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
        zmq_pollitem_t items[] = {
            {.fd = connection->wake, .events = ZMQ_POLLIN},
            {.socket = connection->sockets[CONTROL], .events = control},
            {.socket = connection->sockets[WORK], .events = work},
            {.socket = connection->monitors[CONTROL], .events = ZMQ_POLLIN},
            {.socket = connection->monitors[WORK], .events = ZMQ_POLLIN},
        };
        if (zmq_poll(items, sizeof items / sizeof *items, (long)(wait * 1000) + 1) < 0 && errno != EINTR) {
            end(connection, HIDRA_INTERNAL, "The connection to hidrad failed: %s.", zmq_strerror(errno));
            return;
        }
        uint64_t count;
        if (items[0].revents != 0 && read(connection->wake, &count, sizeof count) < 0) {} /* non-blocking: drained */
        if (!receive(connection, CONTROL) || !receive(connection, WORK)) return;
        bool control_lost = is_lost(connection, CONTROL), work_lost = is_lost(connection, WORK);
        if (!control_lost && !work_lost) continue;
        /* What the daemon sent before it went, a goodbye or a last reply, lies there. */
        if (!receive(connection, CONTROL) || !receive(connection, WORK)) return;
        if (connection->is_refused)
            end(connection, HIDRA_PERMISSION_DENIED,
                "hidrad at %s does not admit this key: it was revoked, or is another daemon's. Ask for a new one (`hidra keys new NAME -o FILE`).",
                connection->place.directory);
        else if (connection->is_connected)
            end(connection, HIDRA_UNAVAILABLE,
                "hidrad is gone: it stopped or crashed while the connection was open. Its log is hidrad.log in the home directory; "
                "connect again.");
        else end(connection, HIDRA_UNAVAILABLE, "No hidrad listens at %s.", connection->place.directory);
        return;
    }
}

void *hi_connection_run(void *argument) {
    struct connection *connection = argument;
    loop(connection);
    int linger = connection->is_connected ? 200 : 0;
    for (enum channel channel = CONTROL; channel < channel_count; channel++) {
        hi_queue_free(&connection->unsent[channel]);
        /* Stops the monitor's own socket, which closing would leave waiting. */
        zmq_socket_monitor(connection->sockets[channel], NULL, 0);
        zmq_setsockopt(connection->sockets[channel], ZMQ_LINGER, &linger, sizeof linger);
        zmq_close(connection->monitors[channel]);
        zmq_close(connection->sockets[channel]);
    }
    return NULL;
}
