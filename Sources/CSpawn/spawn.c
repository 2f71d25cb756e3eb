#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child that cannot become the program tells its parent. */
struct failure {
    int number;
    int step;
};

enum step { SESSION, DEATH_SIGNAL, LIMITS, INPUT, OUTPUT, FOLDER, DESCRIPTORS, PROGRAM };

static const char *const steps[] = {
    "make a session", "ask to be killed with the daemon", "set its limits", "open /dev/null", "take over its output",
    "enter its folder", "close the daemon's files", "run its program",
};

static _Noreturn void give_up(int channel, enum step step) {
    struct failure failure = {errno, (int)step};
    ssize_t written = write(channel, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

static int limit(int resource, uint64_t value) {
    struct rlimit now;
    if (value == 0) return 0;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0) return -1;
    /* Never above what this process has. */
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
    now.rlim_cur = now.rlim_max = value;
    return setrlimit((__rlimit_resource_t)resource, &now);
}

/* Only calls that are safe between fork and exec. */
static _Noreturn void become(const cspawn_program *program, pid_t parent, int channel) {
    if (setsid() < 0) give_up(channel, SESSION);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(channel, DEATH_SIGNAL);
    /* The parent may have died before it was asked. */
    if (getppid() != parent) _exit(127);

    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0) give_up(channel, INPUT);
    if (dup2(program->output, STDOUT_FILENO) < 0 || dup2(program->output, STDERR_FILENO) < 0) give_up(channel, OUTPUT);
    if (chdir(program->directory) != 0) give_up(channel, FOLDER);
    /* The channel to the parent closes with exec, as all others; it must stay until then. */
    if (syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) give_up(channel, DESCRIPTORS);
    /* Last: this process may have more files open than the program may. */
    struct rlimit no_core = {0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || limit(RLIMIT_DATA, program->memory_bytes) != 0
        || limit(RLIMIT_NOFILE, program->open_files) != 0 || limit(RLIMIT_CPU, program->cpu_seconds) != 0)
        give_up(channel, LIMITS);
    execve(program->path, program->arguments, program->environment);
    give_up(channel, PROGRAM);
}

pid_t cspawn_start(const cspawn_program *program, const char **failed) {
    int ends[2];
    *failed = "make a pipe";
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    /* No handler of ours runs in the child. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), child = fork();
    if (child == 0) become(program, parent, ends[1]);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        *failed = "fork";
        return -error;
    }
    struct failure failure;
    ssize_t count;
    do count = read(ends[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count != (ssize_t)sizeof failure) return child;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *failed = steps[failure.step];
    return -failure.number;
}

int cspawn_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int cspawn_watch(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int cspawn_reap(pid_t process) {
    int status;
    pid_t ended;
    do ended = waitpid(process, &status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended != process) return 1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
