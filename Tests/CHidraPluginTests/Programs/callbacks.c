/* What a program does in the daemon's place, heads of several columns, graphs and events. Usage: callbacks HOME ENCODER, with a daemon
 * running. Ends with 0 when all is as expected. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "expect.h"
#include "similarity.h"

struct seen {
    int losses, metrics, tests, labels;
    uint64_t next;
    bool is_in_order;
    enum { WELL, BROKEN, POISONED, SILENT } mood;
};

static int loss(const hidra_question *batch, hidra_result *result, void *context) {
    struct seen *seen = context;
    seen->losses++;
    seen->is_in_order &= batch->step == seen->next++;
    if (batch->label_count == class_count && strcmp(batch->labels[0], classes[0]) == 0) seen->labels++;
    float *gradients = hidra_result_gradients(result);
    hidra_result_loss(result, cross_entropy(batch->outputs, batch->rows, batch->width, batch->classes, gradients));
    if (seen->mood == POISONED) gradients[0] = NAN;
    if (seen->mood == BROKEN) hidra_result_problem(result, "my loss is broken");
    return seen->mood == BROKEN || seen->mood == SILENT;
}

static int metrics(const hidra_question *rows, hidra_result *result, void *context) {
    struct seen *seen = context;
    seen->metrics++;
    seen->tests += rows->step == 0;
    double right = 0;
    for (size_t i = 0; i < rows->rows; i++)
        right += (rows->outputs[i * rows->width + 1] > rows->outputs[i * rows->width]) == rows->classes[i];
    hidra_result_metric(result, "share_right", right / (double)rows->rows);
    for (int i = 0; i < 20; i++) hidra_result_metric(result, "twenty more", i);
    return 0;
}

static hidra_training training_of(const char *encoder, const char *head, const hidra_callbacks *callbacks) {
    return (hidra_training){
        .head = head, .encoder = encoder, .data = "rows", .input_column = "text", .label_column = "label", .epochs = 12,
        .batch_size = 16, .learning_rate = 0.02, .replace = true, .seed = 1, .callbacks = callbacks};
}

static void losses(hidra_client *client, const char *encoder) {
    struct seen seen = {.is_in_order = true};
    const hidra_callbacks callbacks = {.loss = loss, .metrics = metrics, .context = &seen};
    hidra_training training = training_of(encoder, "own-loss", &callbacks);
    training.holdout = 0.25;
    training.call_deadline = 20;
    hidra_error *error = NULL;
    hidra_trained *trained = NULL;
    hidra_code code = hidra_train(client, NULL, &training, &trained, &error);
    expect(code == HIDRA_OK && seen.losses == (int)trained->steps && seen.is_in_order && seen.labels == 1 && seen.tests == 1 &&
               hidra_metric_value(trained->head.metrics, trained->head.metric_count, "share_right") > 0.9 &&
               !trained->head.is_preprocessed && !trained->head.is_postprocessed, "a loss and a metric of its own", &error);
    hidra_free(trained);
    const char *const problems[] = {[BROKEN] = "my loss is broken", [POISONED] = "not finite", [SILENT] = "callback failed"};
    for (seen.mood = BROKEN; seen.mood <= SILENT; seen.mood++) {
        code = hidra_train(client, NULL, &training, &trained, &error);
        expect(code == HIDRA_INVALID_DATA && trained == NULL && strstr(error->message, problems[seen.mood]) != NULL, problems[seen.mood], &error);
    }
}

/* Upside down: only the preprocessing makes the words those that decide. */
static int preprocess(const hidra_question *question, hidra_result *result, void *context) {
    (void)context;
    for (size_t i = 0; i < question->rows; i++) {
        char turned[64];
        const char *text = question->columns[0].texts[i];
        size_t length = strlen(text);
        for (size_t k = 0; k < length && k < sizeof turned; k++) turned[k] = text[length - 1 - k];
        turned[length < sizeof turned ? length : sizeof turned - 1] = 0;
        hidra_result_text(result, 0, i, turned);
    }
    return 0;
}

static int postprocess(const hidra_question *question, hidra_result *result, void *context) {
    (void)context;
    for (size_t i = 0; i < question->rows; i++) {
        bool is_second = question->outputs[i * 2 + 1] > question->outputs[i * 2];
        hidra_result_label(result, i, is_second ? "number one" : "number nought", 1);
        hidra_result_label(result, i, "or another", 0);
        hidra_result_label(result, i, "or none", 0);
    }
    return 0;
}

static int out_of_place(const hidra_question *question, hidra_result *result, void *context) {
    (void)context;
    hidra_result_value(result, question->rows, 1);
    return 0;
}

struct service {
    hidra_client *client;
    const hidra_callbacks *callbacks;
    hidra_code ended;
};

static void *serve(void *argument) {
    struct service *service = argument;
    const char *const heads[] = {"served"};
    const hidra_call call = {.tag = 9};
    service->ended = hidra_serve(service->client, &call, heads, 1, service->callbacks, NULL);
    return NULL;
}

static void serving(hidra_client *client, const char *home, const char *encoder) {
    hidra_error *error = NULL;
    hidra_trained *trained = NULL;
    const hidra_callbacks callbacks = {.preprocess = preprocess, .postprocess = postprocess};
    hidra_training training = training_of(encoder, "served", &callbacks);
    expect(hidra_train(client, NULL, &training, &trained, &error) == HIDRA_OK && trained->head.is_preprocessed &&
               trained->head.is_postprocessed && strcmp(trained->head.served_by, "callbacks") == 0, "a head that is served", &error);
    hidra_free(trained);
    const char *const heads[] = {"served"}, *const texts[] = {"c aa", "a cc"};
    const hidra_inputs inputs = {.texts = texts, .count = 2};
    hidra_predictions *predictions = NULL;
    expect(hidra_predict(client, NULL, heads, 1, &inputs, 0, NULL, &predictions, &error) == HIDRA_UNAVAILABLE &&
               strstr(error->message, "callbacks") != NULL, "nobody serves it", &error);
    struct service service = {.client = connect_to(home, "server"), .callbacks = &callbacks};
    pthread_t thread;
    pthread_create(&thread, NULL, serve, &service);
    const struct timespec a_while = {.tv_nsec = 10000000};
    hidra_code code = HIDRA_UNAVAILABLE;
    for (int i = 0; i < 500 && code == HIDRA_UNAVAILABLE; i++) {
        nanosleep(&a_while, NULL);
        code = hidra_predict(client, NULL, heads, 1, &inputs, 0, NULL, &predictions, NULL);
    }
    expect(code == HIDRA_OK && predictions->inputs[0].answers[0].label_count == 3 &&
               strncmp(predictions->inputs[0].answers[0].labels[0].label, "number", 6) == 0, "served", NULL);
    hidra_free(predictions);
    expect(hidra_cancel(service.client, 9) == 1, "cancel the service", NULL);
    pthread_join(thread, NULL);
    expect(service.ended == HIDRA_CANCELLED, "the service is over", NULL);
    const char *const wrong[] = {"own-loss"};
    expect(hidra_serve(service.client, NULL, wrong, 1, &callbacks, &error) == HIDRA_INVALID_ARGUMENT, "it needs nobody", &error);
    expect(hidra_serve(service.client, NULL, wrong, 0, &callbacks, &error) == HIDRA_INVALID_ARGUMENT, "no heads", &error);
    const hidra_callbacks misplaced = {.preprocess = preprocess, .postprocess = out_of_place};
    service.callbacks = &misplaced;
    pthread_create(&thread, NULL, serve, &service);
    do {
        nanosleep(&a_while, NULL);
        code = hidra_predict(client, NULL, heads, 1, &inputs, 0, NULL, &predictions, &error);
        if (code == HIDRA_UNAVAILABLE) hidra_free(error);
    } while (code == HIDRA_UNAVAILABLE);
    expect(code == HIDRA_INVALID_DATA && strstr(error->message, "not asked for") != NULL, "a row that is none", &error);
    hidra_cancel(service.client, 0);
    pthread_join(thread, NULL);
    hidra_goodbye(service.client);
}

static void columns(hidra_client *client, const char *encoder) {
    enum { pairs = 40 };
    static char left[pairs][16], right[pairs][16];
    const char *lefts[pairs], *rights[pairs], *scores[pairs];
    for (int i = 0; i < pairs; i++) {
        snprintf(left[i], sizeof left[i], "aa %d", i);
        snprintf(right[i], sizeof right[i], i % 2 == 0 ? "aa %d" : "dd %d", i);
        lefts[i] = left[i], rights[i] = right[i], scores[i] = i % 2 == 0 ? "1" : "0";
    }
    const hidra_column rows[] = {{.name = "l", .texts = lefts}, {.name = "r", .texts = rights}, {.name = "score", .texts = scores}};
    hidra_error *error = NULL;
    expect(hidra_append_rows(client, NULL, "pairs", 0, rows, 3, pairs, &error) == HIDRA_OK, "append pairs", &error);
    const hidra_head_input inputs[] = {{.name = "left", .column = "l"}, {.name = "right", .column = "r"}};
    const hidra_bytes graph = {similarity, sizeof similarity};
    const hidra_training training = {
        .head = "pairs", .encoder = encoder, .data = "pairs", .label_column = "score", .task = HIDRA_REGRESS, .kind = "graph",
        .graph = graph, .inputs = inputs, .input_count = 2, .epochs = 5, .learning_rate = 0.01, .replace = true};
    hidra_trained *trained = NULL;
    expect(hidra_train(client, NULL, &training, &trained, &error) == HIDRA_OK && trained->head.input_count == 2 &&
               strcmp(trained->head.inputs[1].column, "r") == 0 && trained->head.inputs[1].form == HIDRA_POOLED, "train on two columns", &error);
    hidra_free(trained);
    const char *const heads[] = {"pairs"};
    const hidra_inputs asked = {.columns = rows, .column_count = 2, .count = pairs};
    hidra_predictions *predictions = NULL;
    expect(hidra_predict(client, NULL, heads, 1, &asked, 0, NULL, &predictions, &error) == HIDRA_OK && predictions->count == pairs &&
               predictions->inputs[0].answers[0].has_value, "predict of two columns", &error);
    hidra_free(predictions);
    const char *const read[] = {"l", "r"};
    const hidra_measuring measuring = {
        .head = "pairs", .data = "pairs", .label_column = "score", .input_columns = read, .input_column_count = 2};
    hidra_evaluation *evaluation = NULL;
    expect(hidra_evaluate(client, NULL, &measuring, &evaluation, &error) == HIDRA_OK && evaluation->rows == pairs, "evaluate", &error);
    hidra_free(evaluation);

    const hidra_attaching attaching = {
        .head = "pairs-by-hand", .encoder = encoder, .task = HIDRA_REGRESS, .kind = "graph", .graph = graph, .inputs = inputs,
        .input_count = 2, .learning_rate = 0.01, .replace = true};
    hidra_attachment *head = NULL;
    hidra_batch batch = {.columns = rows, .column_count = 3, .row_count = pairs, .label_column = "score"};
    double first = 0, last = 0;
    expect(hidra_attach(client, NULL, &attaching, &head, &error) == HIDRA_OK && head->input_count == 2, "attach to two columns", &error);
    for (int step = 0; head != NULL && step < 10; step++) {
        expect(hidra_forward_backward(client, NULL, head, &batch, 1, step == 0 ? &first : &last, NULL, &error) == HIDRA_OK, "pass", &error);
        expect(hidra_optim_step(client, NULL, head, 0, NULL, &error) == HIDRA_OK, "step", &error);
    }
    expect(last < first, "it learns", NULL);
    if (head != NULL) hidra_detach(client, NULL, head, false, NULL, 0, NULL, NULL);
    hidra_free(head);
}

static void graphs(hidra_client *client) {
    hidra_error *error = NULL;
    hidra_graph *graph = NULL;
    const hidra_bytes model = {similarity, sizeof similarity};
    expect(hidra_check_graph(client, NULL, model, 4, &graph, &error) == HIDRA_OK && graph->problem_count == 0 && graph->input_count == 2 &&
               graph->role_count == 2 && strcmp(graph->roles[0].role, "vectors") == 0 && graph->parameters == 2 &&
               strcmp(graph->outputs[0].shape[1], "1") == 0, "check_graph", &error);
    hidra_free(graph);
    expect(hidra_check_graph(client, NULL, (hidra_bytes){"no graph", 8}, 0, &graph, &error) == HIDRA_OK && graph->problem_count > 0,
           "no graph", &error);
    hidra_free(graph);
    const float left[] = {1, 2, 3, 4}, right[] = {5, 6, 7, 8};
    const uint64_t shape[] = {2, 2};
    hidra_tensor tensors[] = {
        {"left", HIDRA_FLOAT32, 2, shape, {left, sizeof left}}, {"right", HIDRA_FLOAT32, 2, shape, {right, sizeof right}}};
    hidra_graph_run *run = NULL;
    expect(hidra_run_graph(client, NULL, model, tensors, 2, &run, &error) == HIDRA_OK && run->output_count == 1 &&
               run->outputs[0].bytes.size == 8 && ((const float *)run->outputs[0].bytes.data)[1] == 53, "run_graph", &error);
    hidra_free(run);
    tensors[1].name = "write";
    expect(hidra_run_graph(client, NULL, model, tensors, 2, &run, &error) != HIDRA_OK && run == NULL, "a wrong input", &error);
    tensors[1].bytes.size = 15;
    expect(hidra_run_graph(client, NULL, model, tensors, 2, &run, &error) == HIDRA_INVALID_ARGUMENT, "a tensor too short", &error);
}

static void events(hidra_client *client) {
    hidra_error *error = NULL;
    hidra_events *events = NULL;
    expect(hidra_replay(client, NULL, 0, &events, &error) == HIDRA_OK && events->count > 3 && events->newest >= events->count, "replay", &error);
    uint64_t newest = events == NULL ? 0 : events->newest;
    size_t registered = 0;
    for (size_t i = 0; events != NULL && i < events->count; i++)
        registered += strcmp(events->events[i].name, "head.registered") == 0 && events->events[i].value_count > 0;
    expect(registered >= 3, "the heads are in it", NULL);
    hidra_free(events);
    expect(hidra_replay(client, NULL, newest, &events, &error) == HIDRA_OK && events->count == 1 && events->events[0].sequence == newest,
           "from the last one on", &error);
    hidra_free(events);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    hidra_client *client = connect_to(arguments[1], "callbacks");
    if (client == NULL) return 1;
    append_rows(client, "rows");
    losses(client, arguments[2]);
    serving(client, arguments[1], arguments[2]);
    columns(client, arguments[2]);
    graphs(client);
    events(client);
    hidra_goodbye(client);
    printf("%d not as expected\n", failures);
    return failures > 0;
}
