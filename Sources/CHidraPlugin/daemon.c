#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"

extern char **environ;

static void log_path(const struct place *place, char path[static PATH_MAX + 16]) {
    snprintf(path, PATH_MAX + 16, "%s/hidrad.log", place->home);
}

/* Whether `hidrad` in a folder of `length` bytes can be executed. */
static bool is_there(char path[static PATH_MAX], const char *folder, size_t length) {
    int count = snprintf(path, PATH_MAX, "%.*s/hidrad", (int)length, folder);
    return count > 0 && count < PATH_MAX && length > 0 && access(path, X_OK) == 0;
}

static hidra_code find(char path[static PATH_MAX], const char *named, hidra_error **error) {
    const char *variable = getenv("HIDRA_DAEMON");
    if (named == NULL || *named == 0) named = variable;
    if (named != NULL && *named != 0) {
        if (strlen(named) >= PATH_MAX || access(named, X_OK) != 0)
            return hi_fail(error, HIDRA_UNAVAILABLE, "%s is named as hidrad (HIDRA_DAEMON) and cannot be executed.", named);
        strcpy(path, named);
        return HIDRA_OK;
    }
    char own[PATH_MAX];
    ssize_t count = readlink("/proc/self/exe", own, sizeof own - 1);
    if (count > 0) {
        own[count] = 0;
        char *slash = strrchr(own, '/');
        if (slash != NULL && is_there(path, own, (size_t)(slash - own))) return HIDRA_OK;
    }
    for (const char *folder = getenv("PATH"); folder != NULL && *folder != 0;) {
        size_t length = strcspn(folder, ":");
        if (is_there(path, folder, length)) return HIDRA_OK;
        folder += length + (folder[length] == ':');
    }
    return hi_fail(error, HIDRA_UNAVAILABLE,
                "No daemon is running and hidrad was not found beside this program or in PATH. Start it yourself, or set HIDRA_DAEMON "
                "to its path.");
}

/* This process's environment (the daemon needs PATH, proxies, the hub's token) with the home made explicit. */
static char **environment(const struct place *place) {
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **variables = calloc(count + 2, sizeof *variables);
    char *home = malloc(sizeof "HIDRA_HOME=" + strlen(place->home));
    if (variables == NULL || home == NULL) {
        free(variables);
        free(home);
        return NULL;
    }
    sprintf(home, "HIDRA_HOME=%s", place->home);
    size_t kept = 1;
    variables[0] = home;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "HIDRA_HOME=", strlen("HIDRA_HOME=")) != 0) variables[kept++] = environ[i];
    return variables;
}

static int spawn(struct daemon_process *process, const char *log, char **variables) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    /* A pipe that the daemon kept open would never end for its reader. */
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    /* The program may block and ignore signals; the daemon starts with neither. */
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    char *const arguments[] = {process->executable, NULL};
    int code = posix_spawn(&process->id, process->executable, &actions, &attributes, arguments, variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) process->id = 0;
    return code;
}

hidra_code hi_daemon_start(struct daemon_process *process, const struct place *place, const char *named, hidra_error **error) {
    hidra_code found = find(process->executable, named, error);
    if (found != HIDRA_OK) return found;
    /* On first use there is no home yet, and the log goes there. */
    hidra_code made = hi_place_make_home(place, error);
    if (made != HIDRA_OK) return made;
    char log[PATH_MAX + 16];
    log_path(place, log);
    struct stat status;
    process->log_start = stat(log, &status) == 0 ? status.st_size : 0;
    char **variables = environment(place);
    if (variables == NULL) return hi_fail_memory(error);
    int code = spawn(process, log, variables);
    free(variables[0]);
    free(variables);
    if (code == 0) return HIDRA_OK;
    return hi_fail(error, HIDRA_UNAVAILABLE, "Could not start %s: %s. Its output would go to %s.", process->executable, strerror(code), log);
}

bool hi_daemon_has_ended(struct daemon_process *process, int *status) {
    int raw = 0;
    if (process->id <= 0 || waitpid(process->id, &raw, WNOHANG) != process->id) return false;
    process->id = 0;
    if (status != NULL) *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
    return true;
}

hidra_code hi_daemon_failed(
    const struct daemon_process *process, const struct place *place, const char *what, hidra_error **error) {
    enum { tail = 2048 };
    char log[PATH_MAX + 16], text[tail + 1] = "";
    log_path(place, log);
    int file = open(log, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        off_t end = lseek(file, 0, SEEK_END), start = end > tail ? end - tail : 0;
        ssize_t count = pread(file, text, tail, start > process->log_start ? start : process->log_start);
        close(file);
        text[count > 0 ? count : 0] = 0;
    }
    hi_fail(error, HIDRA_UNAVAILABLE, "%s was started but %s%s%s", process->executable, what, *text ? ":\n" : " and printed nothing.", text);
    hi_fail_detail(error, "log", "%s", log);
    return HIDRA_UNAVAILABLE;
}
