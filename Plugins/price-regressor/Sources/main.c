/* Trains a head that guesses what a short description costs, and shows how good it is on rows it has not seen. */
#include <hidra.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prices.h"

/* Every so many-th row is held out; the numbers of the README are those of the first fold. */
enum { folds = 5 };

static const char *const head_name = "price";

struct run {
    hidra_client *client;
    hidra_error *error;
    const char *encoder;
    bool serves; /* trains only where the head is not there, and stays until the daemon says goodbye */
    struct prices train, test, unseen; /* `train` and `test` share what the file's rows point to */
};

/* The exit code that `hidra` gives an error of this code. */
static int exit_code(hidra_code code) {
    switch (code) {
    case HIDRA_OK: return 0;
    case HIDRA_INVALID_ARGUMENT: return 2;
    case HIDRA_NOT_FOUND: return 3;
    case HIDRA_INVALID_DATA: return 4;
    case HIDRA_ALREADY_EXISTS: case HIDRA_CONFLICT: case HIDRA_ALREADY_RUNNING: return 5;
    case HIDRA_UNAVAILABLE: case HIDRA_INCOMPATIBLE_VERSION: case HIDRA_PERMISSION_DENIED: return 6;
    case HIDRA_TIMEOUT: return 7;
    case HIDRA_CANCELLED: case HIDRA_INTERRUPTED: return 8;
    case HIDRA_LIMIT_EXCEEDED: case HIDRA_DISK_FULL: return 9;
    case HIDRA_CORRUPT: case HIDRA_UNSUPPORTED: return 10;
    default: return 1;
    }
}

static int show_progress(const hidra_progress *progress, void *context) {
    char *last = context;
    if (strcmp(last, progress->phase) != 0) fprintf(stderr, "  %s\n", progress->phase);
    snprintf(last, 64, "%s", progress->phase);
    if (*progress->note != 0) fprintf(stderr, "  %s\n", progress->note);
    return 0;
}

static hidra_code append(struct run *run, const char *data, const struct prices *rows) {
    const hidra_column columns[] = {
        {.name = "description", .texts = (const char *const *)rows->descriptions},
        {.name = "price", .texts = (const char *const *)rows->logarithms},
    };
    return hidra_append_rows(run->client, NULL, data, 0, columns, 2, rows->count, &run->error);
}

/* Trains the head and prints how far off it is on the rows held out. */
static hidra_code train(struct run *run) {
    char phase[64] = "";
    const hidra_call call = {.progress = show_progress, .context = phase};
    const hidra_training training = {
        .head = head_name, .encoder = run->encoder, .task = HIDRA_REGRESS, .data = "train", .test_data = "test",
        .input_column = "description", .label_column = "price", .replace = true, .epochs = 200, .patience = 40,
        .learning_rate = 0.01, .batch_size = 16, .weight_decay = HIDRA_SET(0.01),
    };
    hidra_trained *trained = NULL;
    hidra_code code = hidra_train(run->client, &call, &training, &trained, &run->error);
    if (code != HIDRA_OK) return code;
    const hidra_evaluation *test = trained->test;
    double mae = hidra_metric_value(test->metrics, test->metric_count, "mae");
    printf("%zu rows to learn from, %llu held out, %.1f s\n", run->train.count, (unsigned long long)test->rows, trained->total_seconds);
    printf("MAE %.3f and R2 %.3f, of the price's logarithm: off by a factor of %.2f\n", mae,
           hidra_metric_value(test->metrics, test->metric_count, "r2"), pow(10, mae));
    hidra_free(trained);
    return HIDRA_OK;
}

static hidra_code predict(struct run *run) {
    const hidra_inputs inputs = {.texts = (const char *const *)run->unseen.descriptions, .count = run->unseen.count};
    hidra_predictions *predictions = NULL;
    hidra_code code = hidra_predict(run->client, NULL, &head_name, 1, &inputs, 0, NULL, &predictions, &run->error);
    for (size_t i = 0; code == HIDRA_OK && i < predictions->count; i++)
        printf("%12.2f  %s\n", pow(10, predictions->inputs[i].answers[0].value), run->unseen.descriptions[i]);
    hidra_free(predictions);
    return code;
}

static hidra_code work(struct run *run) {
    hidra_encoder *encoder = NULL;
    char phase[64] = "";
    const hidra_call call = {.progress = show_progress, .context = phase};
    /* Fetched if it is not there; a name of an encoder that is registered otherwise is left to the training. */
    hidra_code code = strcmp(run->encoder, "minilm") == 0
        ? hidra_pull(run->client, &call, run->encoder, NULL, &encoder, &run->error) : HIDRA_OK;
    hidra_free(encoder);
    if (code == HIDRA_OK) code = append(run, "train", &run->train);
    if (code == HIDRA_OK) code = append(run, "test", &run->test);
    if (code == HIDRA_OK) code = train(run);
    if (code == HIDRA_OK) code = predict(run);
    return code;
}

static bool is_there(struct run *run, hidra_code *code) {
    hidra_registry *registry = NULL;
    bool found = false;
    *code = hidra_list(run->client, NULL, &registry, &run->error);
    for (size_t i = 0; *code == HIDRA_OK && i < registry->head_count; i++) found |= strcmp(registry->heads[i].name, head_name) == 0;
    hidra_free(registry);
    return found;
}

static hidra_code serve(struct run *run) {
    hidra_code code = HIDRA_OK;
    if (!is_there(run, &code) && code == HIDRA_OK) code = work(run);
    fflush(stdout);
    if (code == HIDRA_OK) hidra_wait(run->client, NULL, NULL);
    return code;
}

static int start(struct run *run) {
    const hidra_options options = {.client = "price-regressor 1.0.0", .start = true};
    hidra_code code = hidra_connect(&options, &run->client, &run->error);
    if (code == HIDRA_OK) code = run->serves ? serve(run) : work(run);
    if (code != HIDRA_OK) fprintf(stderr, "price-regressor: %s\n", run->error == NULL ? hidra_code_name(code) : run->error->message);
    hidra_free(run->error);
    hidra_goodbye(run->client);
    return exit_code(code);
}

/* Deals the rows out. */
static int split(struct run *run, const struct prices *all) {
    run->train.descriptions = calloc(all->count, sizeof(char *));
    run->train.logarithms = calloc(all->count, sizeof(char *));
    run->test.descriptions = calloc(all->count, sizeof(char *));
    run->test.logarithms = calloc(all->count, sizeof(char *));
    if (!run->train.descriptions || !run->train.logarithms || !run->test.descriptions || !run->test.logarithms) return 1;
    for (size_t i = 0; i < all->count; i++) {
        struct prices *part = i % folds == folds - 1 ? &run->test : &run->train;
        part->descriptions[part->count] = all->descriptions[i];
        part->logarithms[part->count++] = all->logarithms[i];
    }
    return 0;
}

int main(int count, char **arguments) {
    const char *folder = "Plugins/price-regressor/data";
    struct run run = {.encoder = "minilm"};
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--serve") == 0) run.serves = true;
        else if (i + 1 < count && strcmp(arguments[i], "--data") == 0) folder = arguments[++i];
        else if (i + 1 < count && strcmp(arguments[i], "--encoder") == 0) run.encoder = arguments[++i];
        else {
            fprintf(stderr, "usage: price-regressor [--serve] [--data FOLDER] [--encoder NAME]\n");
            return 2;
        }
    }
    char path[4096];
    struct prices all = {0};
    snprintf(path, sizeof path, "%s/prices.tsv", folder);
    int status = prices_read(path, &all);
    snprintf(path, sizeof path, "%s/unseen.txt", folder);
    if (status == 0) status = prices_read_unseen(path, &run.unseen);
    if (status == 0) status = split(&run, &all);
    if (status == 0) status = start(&run);
    free(run.train.descriptions);
    free(run.train.logarithms);
    free(run.test.descriptions);
    free(run.test.logarithms);
    prices_free(&run.unseen);
    prices_free(&all);
    return status;
}
