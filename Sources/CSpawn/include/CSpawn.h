/* Starts a program that is not trusted: what lies between fork and exec must be C, and posix_spawn knows no limits. */
#ifndef CSPAWN_H
#define CSPAWN_H

#include <stdint.h>
#include <sys/types.h>

typedef struct cspawn_program {
    const char *path;
    char *const *arguments;   /* the program's name first, NULL last */
    char *const *environment; /* all of it, NULL last */
    const char *directory;
    int output;               /* becomes standard output and error; standard input is /dev/null */
    uint64_t memory_bytes;    /* of private memory that can be written (RLIMIT_DATA); 0: as this process */
    uint64_t open_files;      /* 0: as this process */
    uint64_t cpu_seconds;     /* 0: as this process */
} cspawn_program;

/* Starts the program as the leader of a session and process group of its own. It inherits no descriptor, no blocked or ignored
 * signal and no permission to write core files, and is killed when the *thread* that calls this ends: call it from one that lives
 * as long as the process.
 *
 * Returns the process id, or the negative errno of what failed; `failed` then names it. Safe in a program of many threads. */
pid_t cspawn_start(const cspawn_program *program, const char **failed);

/* A pipe whose ends close on exec; reading from it does not block. 0, or -1 with errno. */
int cspawn_pipe(int ends[2]);

/* A descriptor that polls readable when the process has ended; -1 with errno. Closed on exec. */
int cspawn_watch(pid_t process);

/* Reaps a child that may have ended: its exit status, or -signal. 1000: it still runs, or was no child. */
int cspawn_reap(pid_t process);

#endif
