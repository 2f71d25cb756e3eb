/* A hidrad this process starts: in a session of its own, so that it outlives the terminal, with its output in the home's log. */
#ifndef HIDRA_DAEMON_H
#define HIDRA_DAEMON_H

#include <sys/types.h>

#include "place.h"

struct daemon_process {
    pid_t id; /* 0: none, or reaped */
    char executable[PATH_MAX];
    off_t log_start; /* where its output begins in the log */
};

/* Finds the executable (`named` NULL: $HIDRA_DAEMON, beside this program's, in PATH) and starts it. */
hidra_code hi_daemon_start(struct daemon_process *process, const struct place *place, const char *named, hidra_error **error);

/* Reaps the process if it has ended. Whether it has; `status` is then its exit status, or -1 if a signal ended it. */
bool hi_daemon_has_ended(struct daemon_process *process, int *status);

/* HIDRA_UNAVAILABLE, with the end of what the daemon printed. `what`: "stopped at once", ... */
hidra_code hi_daemon_failed(
    const struct daemon_process *process, const struct place *place, const char *what, hidra_error **error);

#endif
