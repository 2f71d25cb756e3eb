/* Hidra's client for C: errors, connections, and how calls are made. Part of hidra.h, whose rules on ownership and errors apply. */
#ifndef HIDRA_CLIENT_H
#define HIDRA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors */

/* The codes of the protocol. One that this version does not know counts as HIDRA_INTERNAL. */
typedef enum hidra_code {
    HIDRA_OK = 0,
    HIDRA_INTERNAL,             /* a fault of Hidra's own, or a peer that is no hidrad */
    HIDRA_INVALID_ARGUMENT,     /* makes no sense whatever the data */
    HIDRA_NOT_FOUND,            /* no encoder, head, run, data set or column of that name */
    HIDRA_INVALID_DATA,         /* rows that cannot be used */
    HIDRA_ALREADY_EXISTS,       /* the name is taken */
    HIDRA_CONFLICT,             /* something else is using it */
    HIDRA_ALREADY_RUNNING,      /* another daemon holds the home */
    HIDRA_UNAVAILABLE,          /* no daemon, or it is gone: connect again */
    HIDRA_INCOMPATIBLE_VERSION, /* no protocol version in common */
    HIDRA_PERMISSION_DENIED,    /* somebody else may listen there */
    HIDRA_TIMEOUT,              /* no sign of life, or the call's own time is over */
    HIDRA_CANCELLED,            /* someone asked for it to stop */
    HIDRA_INTERRUPTED,          /* the daemon is stopping */
    HIDRA_LIMIT_EXCEEDED,       /* larger than the daemon takes */
    HIDRA_DISK_FULL,
    HIDRA_CORRUPT,              /* a file is damaged */
    HIDRA_UNSUPPORTED,          /* this daemon cannot do it */
    HIDRA_OUT_OF_MEMORY,        /* of this process; such a failure may come without an error */
} hidra_code;

/* The code's name in the protocol, e.g. "not_found". Static. */
const char *hidra_code_name(hidra_code code);

typedef struct hidra_detail {
    const char *key, *value;
} hidra_detail;

typedef struct hidra_error {
    hidra_code code;
    const char *message;         /* what went wrong and what to do next, for people */
    size_t detail_count;
    const hidra_detail *details; /* for programs: "suggestion", "row", "limit", ... */
} hidra_error;

/* The value of a detail, or NULL. `error` may be NULL. */
const char *hidra_error_detail(const hidra_error *error, const char *key);

/* Frees a result or an error, and all it points to. NULL is allowed. */
void hidra_free(const void *result);

/* Connections */

typedef struct hidra_client hidra_client;

typedef struct hidra_options {
    const char *home;   /* NULL: $HIDRA_HOME, or $XDG_DATA_HOME/hidra, or ~/.local/share/hidra */
    const char *client; /* name and version of the program, for `hidra ps`; NULL: "C client" */
    bool start;         /* start hidrad where none listens; it outlives this process */
    const char *daemon; /* path of hidrad; NULL: $HIDRA_DAEMON, or beside this executable, or in PATH */
    double timeout;     /* seconds for all of connecting; 0: 10 */
    double silence;     /* seconds the daemon may owe a sign of life before calls fail with HIDRA_TIMEOUT; 0: 30 */
    const char *key;    /* of a daemon on another machine: a file, as `hidra keys new -o` writes it. Not with `home` */
    const char *server; /* of it: tcp://HOST:PORT; NULL: as the key says */
    uint32_t heartbeat; /* seconds; a promise to be silent no longer: the daemon takes for lost who is for three times as long; 0: 10 */
} hidra_options;

/* Connects and says hello. Without `home`, `key` and `server` the environment's HIDRA_KEY and HIDRA_SERVER count. Over the network all is
 * encrypted, and both sides know each other by their keys; what a key's role does not allow is HIDRA_PERMISSION_DENIED, and so is here a
 * key that is not admitted, or that others may read. The options' texts are read until the call returns.
 * Where `home` is NULL it says also HIDRA_PLUGIN_TOKEN of the environment, by which a daemon knows a plugin
 * that it started. The client's own thread sends heartbeats all the time, whatever the program does: every 5 seconds, or sooner
 * where `silence`, the promise or the daemon asks for it. A daemon that is started here is this process's child: it is reaped
 * when it ends before `hidra_goodbye`.
 *
 * HIDRA_UNAVAILABLE: nobody listens, or what was started ended (the message has the end of its log).
 * HIDRA_INCOMPATIBLE_VERSION: the daemon does not speak version 1. HIDRA_PERMISSION_DENIED: its directory is open to others. */
hidra_code hidra_connect(const hidra_options *options, hidra_client **client, hidra_error **error);

/* Says goodbye, closes the connection and frees the client. Its rows are dropped; heads and encoders stay. NULL is allowed.
 * Not from a progress function. */
void hidra_goodbye(hidra_client *client);

typedef struct hidra_welcome {
    uint32_t protocol, protocol_min, protocol_max; /* spoken here; the daemon's range */
    const char *daemon_version;
    uint32_t process_id;
    uint64_t message_bytes, data_rows, data_bytes, blob_bytes; /* limits; the protocol's defaults where it did not say */
    uint32_t texts_per_request, texts_per_stream; /* inputs of one hidra_predict, and of one hidra_predict_stream */
    size_t capability_count;
    const char *const *capabilities;
} hidra_welcome;

/* What the daemon said of itself. The client's own: lives as long as it. */
const hidra_welcome *hidra_greeting(const hidra_client *client);

bool hidra_has_capability(const hidra_client *client, const char *name);

/* Calls */

typedef struct hidra_metric {
    const char *name;
    double value;
} hidra_metric;

/* The value of a metric by its name, or NaN. */
double hidra_metric_value(const hidra_metric *metrics, size_t count, const char *name);

typedef struct hidra_progress {
    const char *job, *phase, *unit;
    uint64_t done, total; /* total 0: not known */
    const char *note;     /* a sentence for the user; empty in most */
    size_t metric_count;
    const hidra_metric *metrics;
} hidra_progress;

/* How one call is made. NULL, or all zero: no limit of time, no progress. Whatever is said here, a call ends when the
 * connection is lost or the daemon owes a sign of life for `hidra_options.silence`. */
typedef struct hidra_call {
    double timeout; /* seconds after which the call fails with HIDRA_TIMEOUT and the daemon is told to stop; 0: none */
    uint64_t tag;   /* for `hidra_cancel` */
    /* Called for each report, on the call's thread; one that is slow misses reports, but none with a note. `progress` lives
     * until it returns. Other than 0 cancels the call. */
    int (*progress)(const hidra_progress *progress, void *context);
    void *context;
} hidra_call;

/* Cancels the open calls with this tag, 0: all of the client. From any thread, or from a progress function. Returns how many
 * there were. They end with HIDRA_CANCELLED, or with their result if that was on its way. A training that is cancelled leaves
 * no head. */
size_t hidra_cancel(hidra_client *client, uint64_t tag);

/* Cancels a job by its id, whoever started it. `cancelled` (may be NULL): whether there was something to cancel. */
hidra_code hidra_cancel_job(
    hidra_client *client, const hidra_call *call, const char *job, bool *cancelled, hidra_error **error);

/* Waits until the connection is over, which is what a plugin does when its work is done: HIDRA_UNAVAILABLE when the daemon has said
 * goodbye or is gone. HIDRA_TIMEOUT after `call->timeout`, HIDRA_CANCELLED by `hidra_cancel`. Never HIDRA_OK. */
hidra_code hidra_wait(hidra_client *client, const hidra_call *call, hidra_error **error);

/* FNV-1a of the .proto files this library was generated from; compared with the files by a test. */
uint32_t hidra_proto_digest(void);

#ifdef __cplusplus
}
#endif

#endif
