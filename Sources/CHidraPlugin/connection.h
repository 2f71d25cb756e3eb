/* The connection of a client to its daemon. One thread has the sockets; callers hand it messages and wait for replies, under one
 * mutex. */
#ifndef HIDRA_CONNECTION_H
#define HIDRA_CONNECTION_H

#include <pthread.h>
#include <unistd.h>

#include "daemon.h"
#include "failure.h"
#include "wire.h"

enum channel { CONTROL, WORK, channel_count };

/* A message to be sent: the envelope, and a frame for each of its tensors. */
struct outgoing {
    struct outgoing *next;
    size_t sent, count; /* frames */
    zmq_msg_t frames[];
};

/* What a request has beyond its envelope. */
struct extras {
    const hidra_bytes *tensors; /* as many as `envelope->n_tensors` */
    const struct hidra_callbacks *callbacks; /* answer the calls that come in its replies */
    int (*part)(struct message *part, void *context); /* takes over partial replies; without the lock; other than 0 cancels */
    void *part_context;
    enum { UNSENT, SENT, ANSWERED } fate; /* set; answered, if only with an error */
};

struct queue {
    struct outgoing *first, *last;
};

/* An open request. Lives on the stack of its call; in the connection's list until the call takes it out. */
struct request {
    struct request *next;
    uint64_t id, tag;
    pthread_cond_t changed;
    struct message *reply;            /* the FINAL */
    struct message *reports, *latest; /* progress and calls, oldest first */
    size_t report_count;
    double cancelled; /* when; 0: not */
    bool takes_parts; /* its partial replies are wanted, each of them */
    bool is_silent;   /* the daemon owes a sign of life for too long */
};

struct connection {
    struct place place;
    pid_t process; /* whose connection it is: not that of a child */
    double silence;
    size_t message_bytes;

    /* Of the connection's thread. */
    pthread_t thread;
    void *context, *sockets[channel_count], *monitors[channel_count];
    int wake; /* eventfd: something is to be sent */
    struct queue unsent[channel_count];
    double next_heartbeat;
    bool is_connected, is_refused; /* there was an answer; it was that the key is not admitted */

    pthread_mutex_t mutex; /* guards what follows */
    struct queue outbox[channel_count];
    struct request *requests;
    uint64_t last_id;
    uint64_t abandoned[64]; /* requests given up whose last reply has not come, the latest */
    size_t abandoned_count;
    double heartbeat;    /* seconds */
    double silent_since; /* when the first message was sent after the last one was heard; 0: nothing is owed */
    double closing;      /* until when the goodbye may take; 0: open */
    hidra_code ended;    /* not HIDRA_OK: why the connection is over */
    char end_message[512];
    struct daemon_process daemon; /* that was started for it */
};

/* Seconds, for intervals. */
double hi_clock_now(void);

/* Opens the sockets in the place and starts the thread. Whether somebody listens shows with the first request. */
hidra_code hi_connection_open(
    struct connection **connection, const struct place *place, double silence, hidra_error **error);

/* Says goodbye if somebody is there, waits for the thread, frees all. */
void hi_connection_close(struct connection *connection);

/* Sends a request and waits for its reply, which must be of the kind `expected`. Sets the envelope's `request_id`. Runs callbacks of
 * `extras` (may be NULL) while it waits. */
hidra_code hi_connection_exchange(
    struct connection *connection, enum channel channel, const hidra_call *call, Hidra__V1__Envelope *request, struct extras *extras,
    Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error);

/* The same, of a request that is all envelope. */
hidra_code hi_connection_ask(
    struct connection *connection, enum channel channel, const hidra_call *call, Hidra__V1__Envelope *request,
    Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error);

/* Waits until the connection is over. Never HIDRA_OK. */
hidra_code hi_connection_wait(struct connection *connection, const hidra_call *call, hidra_error **error);

size_t hi_connection_cancel(struct connection *connection, uint64_t tag);

/* In connection_thread.c. */
void *hi_connection_run(void *connection);
/* Under the mutex. `tensors`: as many as `envelope->n_tensors`; copied. False when memory is exhausted. */
bool hi_connection_enqueue(
    struct connection *connection, enum channel channel, const Hidra__V1__Envelope *envelope, const hidra_bytes *tensors);
bool hi_connection_enqueue_cancel(struct connection *connection, uint64_t id);
void hi_connection_wake(struct connection *connection);
void hi_queue_free(struct queue *queue);

#endif
