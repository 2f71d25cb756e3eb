/* Every function of the library once, failures included: for valgrind and the sanitizers, which look at what the tests cannot.
 * Usage: exercise HOME HIDRAD, with the encoder minilm in HOME. Ends with 0 when all is as expected. */
#include <pthread.h>
#include <stdlib.h>
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
