/* The C library, told what to do by lines on standard input: see README.md. */
#include <hidra.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_fields = 4096, most_tables = 8, most_columns = 4, most_begun = 8 };

struct line {
    char *text, *command;
    size_t count;
    char *keys[most_fields], *values[most_fields];
};

struct table {
    char *name;
    size_t column_count, rows;
    hidra_column columns[most_columns];
    struct line *line; /* owns all of it */
};

static struct {
    hidra_client *client;
    hidra_attachment *head;
    hidra_saved *state;
    struct line *labels; /* the line that attached */
    struct table tables[most_tables];
    size_t table_count;
} now;

/* Takes the text over. */
static struct line *parsed(char *text) {
    struct line *line = calloc(1, sizeof *line);
    line->text = text;
    line->command = strsep(&text, "\t");
    for (char *field; (field = strsep(&text, "\t")) != NULL && line->count < most_fields;) {
        char *value = strchr(field, '=');
        if (value == NULL) continue;
        *value = 0;
        line->keys[line->count] = field;
        line->values[line->count++] = value + 1;
    }
    return line;
}

static void forget(struct line *line) {
    if (line == NULL) return;
    free(line->text);
    free(line);
}

static const char *field(const struct line *line, const char *key) {
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->keys[i], key) == 0) return line->values[i];
    return "";
}

static double number(const struct line *line, const char *key) { return strtod(field(line, key), NULL); }

/* All values of a key, to be freed. */
static const char **all(const struct line *line, const char *key, size_t *count) {
    const char **values = calloc(line->count + 1, sizeof *values);
    *count = 0;
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->keys[i], key) == 0) values[(*count)++] = line->values[i];
    return values;
}

static hidra_optional optional(const struct line *line, const char *key) {
    return (hidra_optional){*field(line, key) != 0, number(line, key)};
}

static struct table *table_of(const char *name) {
    for (size_t i = 0; i < now.table_count; i++)
        if (strcmp(now.tables[i].name, name) == 0) return &now.tables[i];
    return NULL;
}

/* The mean loss and its gradients, as README.md says. */
static double cross_entropy(const float *outputs, size_t rows, size_t width, const int32_t *truth, float *gradients) {
    double loss = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *scores = outputs + row * width;
        double sum = 0;
        for (size_t k = 0; k < width; k++) sum += exp((double)scores[k]);
        loss -= (double)scores[truth[row]] - log(sum);
        for (size_t k = 0; k < width; k++)
            gradients[row * width + k] = (float)((exp((double)scores[k]) / sum - ((int32_t)k == truth[row] ? 1.0 : 0.0)) / (double)rows);
    }
    return loss / (double)rows;
}

static int own_loss(const hidra_question *batch, hidra_result *result, void *context) {
    (void)context;
    hidra_result_loss(result, cross_entropy(batch->outputs, batch->rows, batch->width, batch->classes, hidra_result_gradients(result)));
    return 0;
}

static hidra_code say(hidra_error **error, hidra_code code, const char *message, FILE *out) {
    (void)error;
    fprintf(out, "error\t%s\t%s", hidra_code_name(code), message);
    return code;
}

static hidra_code connect_to(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    (void)call;
    const hidra_options options = {.home = *field(line, "home") == 0 ? NULL : field(line, "home"), .client = "hidra-conform c", .silence = number(line, "silence"), .timeout = 10};
    hidra_client *before = now.client;
    hidra_code code = hidra_connect(&options, &now.client, error);
    if (code != HIDRA_OK) {
        now.client = before;
        return code;
    }
    hidra_goodbye(before);
    fprintf(out, "\tprotocol=%u", hidra_greeting(now.client)->protocol);
    return code;
}

static hidra_code ping(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    (void)line;
    hidra_state *state = NULL;
    hidra_code code = hidra_status(now.client, call, &state, error);
    if (code == HIDRA_OK) fprintf(out, "\tclients=%u", state->clients);
    hidra_free(state);
    return code;
}

static hidra_code list(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    (void)line;
    hidra_registry *registry = NULL;
    hidra_code code = hidra_list(now.client, call, &registry, error);
    for (size_t i = 0; code == HIDRA_OK && i < registry->head_count; i++) fprintf(out, "\thead=%s", registry->heads[i].name);
    hidra_free(registry);
    return code;
}

/* Keeps the line. */
static hidra_code rows(struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    struct table made = {.name = (char *)(uintptr_t)field(line, "data"), .line = line};
    const char **values = calloc(line->count, sizeof *values);
    size_t used = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->keys[i], "column") == 0 && made.column_count < most_columns) {
            made.columns[made.column_count++] = (hidra_column){.name = line->values[i], .texts = values + used};
            made.rows = 0;
        } else if (strcmp(line->keys[i], "value") == 0) {
            values[used++] = line->values[i];
            made.rows++;
        }
    }
    struct table *place = table_of(made.name);
    if (place == NULL) place = &now.tables[now.table_count++];
    else {
        free((void *)(uintptr_t)place->columns[0].texts);
        forget(place->line);
    }
    *place = made;
    fprintf(out, "\trows=%zu", made.rows);
    return hidra_append_rows(now.client, call, made.name, 0, made.columns, made.column_count, made.rows, error);
}

static hidra_code train(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    const hidra_callbacks callbacks = {.loss = own_loss};
    const hidra_training training = {
        .head = field(line, "head"), .encoder = "minilm", .data = field(line, "data"), .input_column = "text", .label_column = "label",
        .replace = true, .kind = field(line, "kind"), .hidden = (uint32_t)number(line, "hidden"), .dropout = optional(line, "dropout"),
        .epochs = (uint32_t)number(line, "epochs"), .learning_rate = number(line, "rate"), .seed = (uint64_t)number(line, "seed"),
        .batch_size = (uint32_t)number(line, "batch"), .holdout = number(line, "holdout"),
        .callbacks = strcmp(field(line, "loss"), "own") == 0 ? &callbacks : NULL};
    hidra_trained *trained = NULL;
    hidra_code code = hidra_train(now.client, call, &training, &trained, error);
    if (code == HIDRA_OK) fprintf(out, "\tdigest=%s\tsteps=%llu", trained->head.digest, (unsigned long long)trained->steps);
    hidra_free(trained);
    return code;
}

static hidra_code predict(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    size_t count;
    const char **texts = all(line, "text", &count), *head = field(line, "head");
    const hidra_inputs inputs = {.texts = texts, .count = count};
    hidra_predictions *predictions = NULL;
    hidra_code code = hidra_predict(now.client, call, &head, 1, &inputs, 0, NULL, &predictions, error);
    for (size_t i = 0; code == HIDRA_OK && i < predictions->count; i++) {
        const hidra_prediction *input = &predictions->inputs[i];
        fprintf(out, "\tlabel=%s", input->answer_count > 0 && input->answers[0].label_count > 0 ? input->answers[0].labels[0].label : "");
    }
    hidra_free(predictions);
    free(texts);
    return code;
}

/* Keeps the line of a new head. */
static hidra_code attach(struct line *line, const hidra_call *call, FILE *out, hidra_error **error, bool *is_kept) {
    size_t count;
    const char **labels = all(line, "label", &count);
    const hidra_attaching attaching = {
        .head = field(line, "head"), .run = field(line, "run"), .encoder = "minilm", .labels = labels, .label_count = count,
        .kind = field(line, "kind"), .hidden = (uint32_t)number(line, "hidden"), .dropout = optional(line, "dropout"),
        .seed = (uint64_t)number(line, "seed"), .learning_rate = number(line, "rate"), .replace = true};
    hidra_attachment *made = NULL;
    hidra_code code = hidra_attach(now.client, call, &attaching, &made, error);
    free(labels);
    if (code != HIDRA_OK) return code;
    if (count > 0) {
        forget(now.labels);
        now.labels = line;
        *is_kept = true;
    }
    hidra_free(now.head);
    now.head = made;
    fprintf(out, "\trun=%s\tsequence=%llu\tsteps=%llu", made->run, (unsigned long long)made->sequence, (unsigned long long)made->steps);
    return code;
}

/* The rows that a line names, to be freed. */
static hidra_batch batch_of(const struct line *line) {
    size_t count;
    const char **texts = all(line, "row", &count);
    uint64_t *numbers = calloc(count + 1, sizeof *numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = strtoull(texts[i], NULL, 10);
    free(texts);
    return (hidra_batch){.data = field(line, "data"), .rows = numbers, .row_count = count, .input_column = "text", .label_column = "label"};
}

static hidra_code own(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    const hidra_batch batch = batch_of(line);
    hidra_outputs *outputs = NULL;
    hidra_code code = hidra_forward(now.client, call, now.head, &batch, true, &outputs, error);
    if (code == HIDRA_OK) {
        const struct table *table = table_of(field(line, "data"));
        size_t count;
        const char **labels = all(now.labels, "label", &count);
        int32_t *truth = calloc(outputs->rows, sizeof *truth);
        float *gradients = calloc(outputs->rows * outputs->width, sizeof *gradients);
        for (size_t i = 0; i < outputs->rows; i++)
            while ((size_t)truth[i] < count && strcmp(labels[truth[i]], table->columns[1].texts[batch.rows[i]]) != 0) truth[i]++;
        double loss = cross_entropy(outputs->values, outputs->rows, outputs->width, truth, gradients);
        code = hidra_backward(now.client, call, now.head, gradients, outputs->rows, true, 0, NULL, error);
        if (code == HIDRA_OK) fprintf(out, "\tloss=%.17g\tsteps=%llu", loss, (unsigned long long)now.head->steps);
        free(gradients);
        free(truth);
        free(labels);
    }
    hidra_free(outputs);
    free((void *)(uintptr_t)batch.rows);
    return code;
}

static hidra_code pass(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    const hidra_batch batch = batch_of(line);
    double loss = 0;
    hidra_code code = hidra_forward_backward(now.client, call, now.head, &batch, 1, &loss, NULL, error);
    if (code == HIDRA_OK) fprintf(out, "\tloss=%.17g", loss);
    free((void *)(uintptr_t)batch.rows);
    return code;
}

static hidra_code outputs(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    const hidra_batch batch = batch_of(line);
    hidra_outputs *made = NULL;
    hidra_code code = hidra_forward(now.client, call, now.head, &batch, false, &made, error);
    for (size_t i = 0; code == HIDRA_OK && i < made->rows * made->width; i++) fprintf(out, "\tvalue=%.9g", (double)made->values[i]);
    hidra_free(made);
    free((void *)(uintptr_t)batch.rows);
    return code;
}

static hidra_code detach(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    hidra_detached *detached = NULL;
    hidra_code code = hidra_detach(now.client, call, now.head, number(line, "keep") > 0, NULL, 0, &detached, error);
    if (code == HIDRA_OK) fprintf(out, "\tdigest=%s", detached->head.digest);
    hidra_free(detached);
    return code;
}

static hidra_code events(const struct line *line, const hidra_call *call, FILE *out, hidra_error **error) {
    hidra_events *events = NULL;
    uint64_t until = (uint64_t)number(line, "until");
    hidra_code code = hidra_replay(now.client, call, (uint64_t)number(line, "from"), &events, error);
    for (size_t i = 0; code == HIDRA_OK && i < events->count && events->events[i].sequence <= until; i++)
        fprintf(out, "\tevent=%llu %s %s", (unsigned long long)events->events[i].sequence, events->events[i].name, events->events[i].subject);
    hidra_free(events);
    return code;
}

static hidra_code perform(struct line *line, const hidra_call *call, FILE *out, hidra_error **error, bool *is_kept) {
    const char *command = line->command;
    if (strcmp(command, "connect") == 0) return connect_to(line, call, out, error);
    if (now.client == NULL) return say(error, HIDRA_INVALID_ARGUMENT, "There was no connect before.", out);
    if (strcmp(command, "close") == 0) {
        hidra_goodbye(now.client);
        now.client = NULL;
        return HIDRA_OK;
    }
    if (strcmp(command, "ping") == 0) return ping(line, call, out, error);
    if (strcmp(command, "list") == 0) return list(line, call, out, error);
    if (strcmp(command, "rows") == 0) {
        *is_kept = true;
        return rows(line, call, out, error);
    }
    if (strcmp(command, "train") == 0) return train(line, call, out, error);
    if (strcmp(command, "predict") == 0) return predict(line, call, out, error);
    if (strcmp(command, "attach") == 0) return attach(line, call, out, error, is_kept);
    if (strcmp(command, "events") == 0) return events(line, call, out, error);
    if (now.head == NULL) return say(error, HIDRA_UNSUPPORTED, "There is no such command, or no attach before.", out);
    if (strcmp(command, "pass") == 0) return pass(line, call, out, error);
    if (strcmp(command, "own") == 0) return own(line, call, out, error);
    if (strcmp(command, "outputs") == 0) return outputs(line, call, out, error);
    if (strcmp(command, "detach") == 0) return detach(line, call, out, error);
    if (strcmp(command, "load") == 0)
        return hidra_load_state(now.client, call, now.head, now.state->data, now.state->size, error);
    if (strcmp(command, "save") == 0) {
        hidra_free(now.state);
        hidra_code code = hidra_save_state(now.client, call, now.head, &now.state, error);
        if (code == HIDRA_OK) fprintf(out, "\tbytes=%zu", now.state->size);
        return code;
    }
    if (strcmp(command, "step") == 0) {
        hidra_code code = hidra_optim_step(now.client, call, now.head, 0, NULL, error);
        if (code == HIDRA_OK) fprintf(out, "\tsteps=%llu", (unsigned long long)now.head->steps);
        return code;
    }
    return say(error, HIDRA_UNSUPPORTED, "There is no such command.", out);
}

/* Takes the line over; gives a line to be freed. */
static char *answer(struct line *line, uint64_t tag) {
    char *text = NULL, *whole = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    hidra_error *error = NULL;
    bool is_kept = false;
    const hidra_call call = {.tag = tag};
    hidra_code code = perform(line, &call, out, &error, &is_kept);
    fclose(out);
    if (code == HIDRA_OK) {
        if (asprintf(&whole, "ok%s", text) < 0) whole = NULL;
        free(text);
    } else if (error == NULL) {
        whole = text;
    } else {
        free(text);
        if (asprintf(&whole, "error\t%s\t%s", hidra_code_name(error->code), error->message) < 0) whole = NULL;
        for (char *end; whole != NULL && (end = strchr(whole, '\n')) != NULL;) *end = ' ';
        hidra_free(error);
    }
    if (!is_kept) forget(line);
    return whole;
}

struct begun {
    char id[32];
    pthread_t thread;
    struct line *line;
    uint64_t tag;
};

static void *run(void *argument) {
    struct begun *begun = argument;
    return answer(begun->line, begun->tag);
}

int main(void) {
    static struct begun begun[most_begun];
    uint64_t tag = 0;
    char *text = NULL;
    size_t space = 0;
    while (getline(&text, &space, stdin) >= 0) {
        text[strcspn(text, "\n")] = 0;
        struct line *line = parsed(strdup(text));
        struct begun *found = NULL;
        for (size_t i = 0; i < most_begun && found == NULL; i++)
            if (begun[i].tag != 0 && strcmp(begun[i].id, field(line, "id")) == 0) found = &begun[i];
        char *said = NULL;
        if (strcmp(line->command, "begin") == 0) {
            struct begun *place = begun;
            while (place->tag != 0) place++;
            snprintf(place->id, sizeof place->id, "%s", field(line, "id"));
            place->tag = ++tag;
            line->command = (char *)(uintptr_t)field(line, "do");
            place->line = line;
            pthread_create(&place->thread, NULL, run, place);
        } else if (strcmp(line->command, "end") == 0 && found != NULL) {
            void *result;
            pthread_join(found->thread, &result);
            said = result;
            found->tag = 0;
            forget(line);
        } else if (strcmp(line->command, "cancel") == 0 && found != NULL) {
            hidra_cancel(now.client, found->tag);
            forget(line);
        } else {
            said = answer(line, 0);
        }
        puts(said == NULL ? "ok" : said);
        fflush(stdout);
        free(said);
    }
    hidra_goodbye(now.client);
    hidra_free(now.head);
    hidra_free(now.state);
    forget(now.labels);
    for (size_t i = 0; i < now.table_count; i++) {
        free((void *)(uintptr_t)now.tables[i].columns[0].texts);
        forget(now.tables[i].line);
    }
    free(text);
    return 0;
}
