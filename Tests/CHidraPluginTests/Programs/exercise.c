/* Every function of the library once, failures included: for valgrind and the sanitizers, which look at what the tests cannot.
 * Usage: exercise HOME HIDRAD, with the encoder minilm in HOME. Ends with 0 when all is as expected. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "expect.h"

static int cancel_in_training(const hidra_progress *progress, void *reports) {
    ++*(int *)reports;
    return strcmp(progress->phase, "training") == 0;
}

static void *cancel_soon(void *client) {
    const struct timespec a_while = {.tv_nsec = 100000000};
    do nanosleep(&a_while, NULL);
    while (hidra_cancel(client, 7) == 0);
    return NULL;
}

enum { rows = 60 };

static void append(hidra_client *client, const char *data) {
    static const char *const words[] = {"a broken lamp", "a late parcel", "a kind word", "a wrong invoice", "a blue door"};
    static char texts[rows][64];
    const char *values[rows], *labels[rows];
    for (int i = 0; i < rows; i++) {
        snprintf(texts[i], sizeof texts[i], "%s, number %d", words[i % 5], i);
        values[i] = texts[i];
        labels[i] = words[i % 5] + 2;
    }
    const hidra_column columns[] = {{.name = "text", .texts = values}, {.name = "label", .texts = labels}};
    hidra_error *error = NULL;
    expect(hidra_append_rows(client, NULL, data, 0, columns, 2, rows, &error) == HIDRA_OK, "append", &error);
    values[3] = "\xC3(";
    expect(hidra_append_rows(client, NULL, data, rows, columns, 2, rows, &error) == HIDRA_INVALID_ARGUMENT &&
               strcmp(hidra_error_detail(error, "row"), "4") == 0, "text that is no UTF-8", &error);
    const hidra_bytes blobs[] = {{"abc", 3}, {"", 0}};
    const hidra_column files = {.name = "file", .blobs = blobs};
    expect(hidra_append_rows(client, NULL, "files", 0, &files, 1, 2, &error) == HIDRA_OK, "append files", &error);
    expect(hidra_drop_rows(client, NULL, "files", &error) == HIDRA_OK, "drop", &error);
}

struct taken {
    size_t parts, inputs;
    bool in_order;
    size_t stop_after;
};

static int take(const hidra_predictions *part, size_t first, void *context) {
    struct taken *taken = context;
    taken->in_order &= first == taken->inputs && part->count > 0 && part->count <= 64;
    taken->inputs += part->count;
    return ++taken->parts == taken->stop_after;
}

/* Answers that come as they are computed. */
static void stream(hidra_client *client) {
    enum { many = 500 };
    static char lines[many][32];
    const char *values[many], *const head = "exercise";
    for (int i = 0; i < many; i++) {
        snprintf(lines[i], sizeof lines[i], "a lamp, number %d", i);
        values[i] = lines[i];
    }
    const hidra_inputs inputs = {.texts = values, .count = many};
    hidra_error *error = NULL;
    hidra_predictions *totals = NULL;
    struct taken taken = {.in_order = true};
    expect(hidra_predict_stream(client, NULL, &head, 1, &inputs, 2, NULL, take, &taken, &totals, &error) == HIDRA_OK && taken.in_order &&
               taken.inputs == many && taken.parts > 5 && totals->count == 0 && totals->encoded == many, "stream", &error);
    hidra_free(totals);
    taken = (struct taken){.in_order = true, .stop_after = 2};
    expect(hidra_predict_stream(client, NULL, &head, 1, &inputs, 0, NULL, take, &taken, NULL, &error) == HIDRA_CANCELLED && taken.parts == 2,
           "stop a stream", &error);
    const char *const wrong = "exercize";
    expect(hidra_predict_stream(client, NULL, &wrong, 1, &inputs, 0, NULL, take, &taken, &totals, &error) == HIDRA_NOT_FOUND && totals == NULL,
           "stream of an unknown head", &error);
    expect(hidra_predict_stream(client, NULL, &head, 1, &inputs, 0, NULL, NULL, NULL, NULL, NULL) == HIDRA_INVALID_ARGUMENT, "no function", NULL);
}

static int stop_at_once(const hidra_progress *progress, void *reports) {
    ++*(int *)reports;
    return progress->done < progress->total;
}

/* A file sent whole, its second half later than its first. */
static void upload(hidra_client *client) {
    char path[] = "/tmp/hidra-exercise-XXXXXX", digest[65];
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w");
    /* Another content each time: what was uploaded before is there. */
    fprintf(file, "text\tlabel\nthe time is %lld, the process %d\tnow\n", (long long)time(NULL), (int)getpid());
    for (int i = 0; i < 400000; i++) fprintf(file, "a line, number %d\t%s\n", i, i % 2 == 0 ? "even" : "odd");
    fclose(file);
    hidra_error *error = NULL;
    int reports = 0;
    const hidra_call stopping = {.progress = stop_at_once, .context = &reports};
    expect(hidra_upload(client, &stopping, path, digest, &error) == HIDRA_CANCELLED && reports == 1 && *digest == 0, "stop an upload", &error);
    expect(hidra_upload(client, NULL, path, digest, &error) == HIDRA_OK && strlen(digest) == 64, "upload", &error);
    hidra_opened *opened = NULL;
    const char *const columns[] = {"label", "text"};
    const hidra_table table = {.digest = digest, .format = "tsv", .columns = columns, .column_count = 2};
    expect(hidra_open_data(client, NULL, "sent", &table, &opened, &error) == HIDRA_OK && opened->rows == 400001 && opened->column_count == 2 &&
               strcmp(opened->columns[0], "label") == 0, "open an upload", &error);
    hidra_free(opened);
    expect(hidra_open_data(client, NULL, "sent", &table, &opened, &error) == HIDRA_ALREADY_EXISTS && opened == NULL, "open it twice", &error);
    const hidra_table own = {.path = path, .format = "tsv"}, none = {.format = "tsv"};
    expect(hidra_open_data(client, NULL, "own", &own, NULL, &error) == HIDRA_OK, "open a path", &error);
    expect(hidra_open_data(client, NULL, "none", &none, NULL, &error) == HIDRA_INVALID_ARGUMENT, "open nothing", &error);
    expect(hidra_drop_rows(client, NULL, "sent", &error) == HIDRA_OK && hidra_drop_rows(client, NULL, "own", &error) == HIDRA_OK, "drop", &error);
    unlink(path);
    expect(hidra_upload(client, NULL, path, digest, &error) == HIDRA_NOT_FOUND, "no file", &error);
}

/* Keys that are none; a daemon on another machine is asked in remote.c. */
static void keys(void) {
    char path[] = "/tmp/hidra-exercise-XXXXXX";
    int descriptor = mkstemp(path);
    hidra_error *error = NULL;
    hidra_client *client = NULL;
    const hidra_options options = {.key = path}, both = {.key = path, .home = "/tmp"}, alone = {.server = "tcp://127.0.0.1:7700"};
    expect(write(descriptor, "endpoint tcp://127.0.0.1:7700\nserver-key short\n", 48) == 48, "write", NULL);
    expect(hidra_connect(&options, &client, &error) == HIDRA_CORRUPT && client == NULL, "a key that is none", &error);
    fchmod(descriptor, 0644);
    expect(hidra_connect(&options, &client, &error) == HIDRA_PERMISSION_DENIED, "a key that others may read", &error);
    close(descriptor);
    unlink(path);
    expect(hidra_connect(&options, &client, &error) == HIDRA_NOT_FOUND, "no key", &error);
    expect(hidra_connect(&both, &client, &error) == HIDRA_INVALID_ARGUMENT, "a key and a home", &error);
    expect(hidra_connect(&alone, &client, &error) == HIDRA_INVALID_ARGUMENT, "a server without a key", &error);
}

static void train_and_ask(hidra_client *client) {
    hidra_error *error = NULL;
    hidra_training training = {
        .head = "exercise", .encoder = "minilm", .data = "rows", .input_column = "text", .label_column = "label", .holdout = 0.3,
        .replace = true, .kind = "mlp", .hidden = 16, .dropout = HIDRA_SET(0.1), .epochs = 10, .learning_rate = 0.01, .seed = 3,
    };
    hidra_trained *trained = NULL;
    expect(hidra_train(client, NULL, &training, &trained, &error) == HIDRA_OK && trained->test != NULL &&
               trained->test->class_count == 5, "train", &error);
    hidra_free(trained);

    hidra_evaluation *evaluation = NULL;
    const hidra_measuring measuring = {.head = "exercise", .data = "rows", .input_column = "text", .label_column = "label"};
    expect(hidra_evaluate(client, NULL, &measuring, &evaluation, &error) == HIDRA_OK &&
               evaluation->rows == rows && !isnan(hidra_metric_value(evaluation->metrics, evaluation->metric_count, "accuracy")),
           "evaluate", &error);
    hidra_free(evaluation);

    const char *const heads[] = {"exercise", "exercise"}, *const texts[] = {"a lamp", "a parcel", ""};
    const hidra_inputs inputs = {.texts = texts, .count = 3};
    hidra_predictions *predictions = NULL;
    expect(hidra_predict(client, NULL, heads, 2, &inputs, 3, NULL, &predictions, &error) == HIDRA_OK && predictions->count == 3 &&
               predictions->inputs[2].answers[1].label_count == 3, "predict", &error);
    hidra_free(predictions);
    const char *const wrong = "exercize";
    expect(hidra_predict(client, NULL, &wrong, 1, &inputs, 0, NULL, &predictions, &error) == HIDRA_NOT_FOUND &&
               strcmp(hidra_error_detail(error, "suggestion"), "exercise") == 0 && predictions == NULL, "unknown head", &error);
    expect(hidra_predict(client, NULL, &wrong, 1, &inputs, 0, NULL, &predictions, NULL) == HIDRA_NOT_FOUND, "error not wanted", NULL);

    hidra_embeddings *embeddings = NULL;
    expect(hidra_embed(client, NULL, "minilm", &inputs, NULL, NULL, &embeddings, &error) == HIDRA_OK && embeddings->width == 384 &&
               isfinite(embeddings->values[3 * 384 - 1]), "embed", &error);
    hidra_free(embeddings);

    hidra_model *model = NULL;
    expect(hidra_export(client, NULL, "exercise", &model, &error) == HIDRA_OK && model->size > 100, "export", &error);
    hidra_free(model);
}

static void cancel(hidra_client *client) {
    hidra_error *error = NULL;
    hidra_trained *trained = NULL;
    const hidra_training training = {
        .head = "long", .encoder = "minilm", .data = "rows", .input_column = "text", .label_column = "label", .epochs = 10000,
        .patience = 10000, .batch_size = 1, .learning_rate = 0.001,
    };
    int reports = 0;
    hidra_call call = {.progress = cancel_in_training, .context = &reports};
    expect(hidra_train(client, &call, &training, &trained, &error) == HIDRA_CANCELLED && reports > 0, "cancel by callback", &error);
    pthread_t thread;
    call = (hidra_call){.tag = 7};
    pthread_create(&thread, NULL, cancel_soon, client);
    expect(hidra_train(client, &call, &training, &trained, &error) == HIDRA_CANCELLED, "cancel by another thread", &error);
    pthread_join(thread, NULL);
    call = (hidra_call){.timeout = 0.2};
    expect(hidra_train(client, &call, &training, &trained, &error) == HIDRA_TIMEOUT, "time-out", &error);
    bool cancelled = true;
    expect(hidra_cancel_job(client, NULL, "job-none", &cancelled, &error) == HIDRA_OK && !cancelled, "cancel of no job", &error);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    hidra_error *error = NULL;
    hidra_client *client = NULL;
    hidra_options options = {.home = "/tmp/no-home-at-all", .timeout = 1};
    expect(hidra_connect(&options, &client, &error) == HIDRA_UNAVAILABLE && client == NULL, "no daemon", &error);
    keys();
    options = (hidra_options){.home = arguments[1], .daemon = arguments[2], .client = "exercise 1.0", .start = true, .timeout = 60};
    hidra_code code = hidra_connect(&options, &client, &error);
    expect(code == HIDRA_OK, "connect", &error);
    if (code != HIDRA_OK) return 1;
    expect(hidra_greeting(client)->protocol == 1 && hidra_has_capability(client, "regress"), "greeting", NULL);

    const hidra_call moment = {.timeout = 0.05};
    expect(hidra_wait(client, &moment, &error) == HIDRA_TIMEOUT, "waiting for the end", &error);

    hidra_encoder *encoder = NULL;
    expect(hidra_pull(client, NULL, "minilm", NULL, &encoder, &error) == HIDRA_OK && encoder->width == 384, "pull", &error);
    hidra_free(encoder);
    append(client, "rows");
    train_and_ask(client);
    stream(client);
    upload(client);
    cancel(client);
    hidra_state *state = NULL;
    expect(hidra_status(client, NULL, &state, &error) == HIDRA_OK && state->encoder_count > 0, "status", &error);
    hidra_free(state);
    hidra_registry *registry = NULL;
    expect(hidra_list(client, NULL, &registry, &error) == HIDRA_OK && registry->head_count > 0, "list", &error);
    hidra_free(registry);
    hidra_names *removed = NULL;
    expect(hidra_remove(client, NULL, "exercise", false, &removed, &error) == HIDRA_OK && removed->count == 1, "remove", &error);
    hidra_free(removed);
    fflush(stdout);
    /* By a pipe, not the exit status: that is valgrind's in a child. */
    int ends[2];
    hidra_code in_child = HIDRA_OK;
    if (pipe(ends) != 0) return 1;
    pid_t child = fork();
    if (child == 0) {
        in_child = hidra_list(client, NULL, &registry, NULL);
        hidra_goodbye(client);
        _exit(write(ends[1], &in_child, sizeof in_child) < 0);
    }
    close(ends[1]);
    expect(read(ends[0], &in_child, sizeof in_child) == sizeof in_child && in_child == HIDRA_INVALID_ARGUMENT,
           "the child of a fork may not use the client", NULL);
    close(ends[0]);
    waitpid(child, NULL, 0);
    hidra_goodbye(client);
    hidra_goodbye(NULL);
    hidra_free(NULL);
    printf("%d not as expected\n", failures);
    return failures > 0;
}
