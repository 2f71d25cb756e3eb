/* A plugin for tests that behaves as its first argument says. */
#include <hidra.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

extern char **environ;

static hidra_client *client;

static void hello(void) {
    hidra_error *error = NULL;
    const hidra_options options = {.client = "plugin-probe 1.0"};
    if (hidra_connect(&options, &client, &error) == HIDRA_OK) return;
    fprintf(stderr, "no hello: %s\n", error->message);
    exit(9);
}

static int until_goodbye(void) {
    hidra_error *error = NULL;
    hidra_wait(client, NULL, &error);
    fprintf(stderr, "goodbye: %s\n", error->message);
    return 0;
}

/* What it was given: environment, descriptors, session, limits. */
static void tell(void) {
    for (char **variable = environ; *variable != NULL; variable++) printf("variable %s\n", *variable);
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(path, target, sizeof target);
        if (length > 0) printf("descriptor %d %.*s\n", descriptor, (int)length, target);
    }
    printf("leader %d %d\n", getsid(0) == getpid(), getpgid(0) == getpid());
    struct rlimit memory, files, core;
    getrlimit(RLIMIT_DATA, &memory);
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_CORE, &core);
    printf("limits %llu %llu %llu\n", (unsigned long long)memory.rlim_max, (unsigned long long)files.rlim_max, (unsigned long long)core.rlim_max);
    char folder[1024];
    printf("folder %s\n", getcwd(folder, sizeof folder) == NULL ? "" : folder);
    fflush(stdout);
}

/* Memory that is touched, piece by piece. `shared` memory is none of RLIMIT_DATA's business. */
static void hoard(int sharing, size_t pieces) {
    for (size_t i = 0; i < pieces; i++) {
        void *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) {
            fprintf(stderr, "no memory after %zu MB: %s\n", i, strerror(errno));
            abort();
        }
        memset(piece, 1, 1 << 20);
    }
}

/* A child in the plugin's session and one in its own. */
static void have_children(void) {
    for (int own = 0; own < 2; own++) {
        if (fork() != 0) continue;
        if (own) setsid();
        printf("child %d\n", getpid());
        fflush(stdout);
        for (;;) pause();
    }
}

static void send_garbage(const char *directory) {
    unsigned seed = 1;
    char path[256], bytes[512];
    static const char *const names[] = {"control", "work", "events"};
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)rand_r(&seed);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (snprintf(address.sun_path, sizeof address.sun_path, "%s/%s.sock", directory, names[round % 3]) < 0) abort();
        int plain = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(plain, (struct sockaddr *)&address, sizeof address) == 0 && write(plain, bytes, sizeof bytes) < 0) {}
        close(plain);
    }
    void *context = zmq_ctx_new();
    for (int channel = 0; channel < 2; channel++) {
        void *socket = zmq_socket(context, ZMQ_DEALER);
        int linger = 1000;
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, "garbage", 7);
        snprintf(path, sizeof path, "ipc://%s/%s.sock", directory, names[channel]);
        zmq_connect(socket, path);
        for (int round = 0; round < 2000; round++) {
            for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)rand_r(&seed);
            zmq_send(socket, bytes, (size_t)rand_r(&seed) % sizeof bytes, round % 5 == 0 ? ZMQ_SNDMORE : 0);
        }
        zmq_send(socket, bytes, 1, 0);
        zmq_close(socket);
    }
    zmq_ctx_term(context);
    printf("garbage sent\n");
    fflush(stdout);
}

/* Trains the head it is told to. */
static int train(const char *head) {
    static const char *texts[64], *labels[64];
    static char content[64][16];
    for (int i = 0; i < 64; i++) {
        snprintf(content[i], sizeof content[i], "%c%c %c", 'a' + i % 4, 'a' + i % 4, 'a' + i / 4 % 4);
        texts[i] = content[i];
        labels[i] = i % 4 == 0 ? "a" : i % 4 == 1 ? "b" : i % 4 == 2 ? "c" : "d";
    }
    const hidra_column columns[] = {{.name = "text", .texts = texts}, {.name = "label", .texts = labels}};
    hidra_error *error = NULL;
    hidra_trained *trained = NULL;
    const hidra_training training = {.head = head, .encoder = "tiny", .data = "rows", .input_column = "text", .label_column = "label", .replace = true};
    if (hidra_append_rows(client, NULL, "rows", 0, columns, 2, 64, &error) != HIDRA_OK || hidra_train(client, NULL, &training, &trained, &error) != HIDRA_OK) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    return until_goodbye();
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "serve";
    if (strcmp(mode, "mute") == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;) pause();
    }
    if (strcmp(mode, "tell") == 0) tell();
    hello();
    if (strcmp(mode, "crash") == 0) {
        usleep(20000);
        return 3;
    }
    if (strcmp(mode, "done") == 0) return 0;
    if (strcmp(mode, "stubborn") == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;) pause();
    }
    if (strcmp(mode, "flood") == 0)
        for (;;) printf("%0200d\n", 7);
    if (strcmp(mode, "leak") == 0) hoard(MAP_PRIVATE, 1 << 20);
    if (strcmp(mode, "hoard") == 0) {
        hoard(MAP_SHARED, 80);
        for (;;) pause();
    }
    if (strcmp(mode, "bomb") == 0)
        for (int i = 0; i < 40; i++)
            if (fork() == 0) for (;;) pause();
    if (strcmp(mode, "children") == 0) have_children();
    if (strcmp(mode, "garbage") == 0) send_garbage(arguments[2]);
    if (strcmp(mode, "train") == 0) return train(arguments[2]);
    return until_goodbye();
}
