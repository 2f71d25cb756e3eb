/* Heads trained step by step. Usage: steps HOME ENCODER, with a daemon running. Ends with 0 when all is as expected. */
#include <stdlib.h>

#include "expect.h"

enum { batch_rows = 16 };

static hidra_batch batch_of(int step, uint64_t rows[batch_rows], int32_t truth[batch_rows]) {
    for (int i = 0; i < batch_rows; i++) {
        rows[i] = (uint64_t)((step * batch_rows + i) % row_count);
        truth[i] = (int32_t)(rows[i] % class_count);
    }
    return (hidra_batch){.data = "rows", .rows = rows, .row_count = batch_rows, .input_column = "text", .label_column = "label"};
}

static hidra_attachment *attach(hidra_client *client, const char *encoder, const char *head) {
    hidra_error *error = NULL;
    hidra_attachment *attachment = NULL;
    const hidra_attaching attaching = {
        .head = head, .encoder = encoder, .labels = classes, .label_count = class_count, .kind = "mlp", .hidden = 16,
        .dropout = HIDRA_SET(0), .seed = 3, .learning_rate = 0.01, .replace = true, .weight_decay = HIDRA_SET(0.001)};
    expect(hidra_attach(client, NULL, &attaching, &attachment, &error) == HIDRA_OK && attachment->outputs == class_count &&
               attachment->sequence == 0 && strcmp(attachment->loss, "cross_entropy") == 0 && attachment->input_count == 1,
           "attach", &error);
    return attachment;
}

/* The daemon's loss and this program's, side by side. */
static void own_loss(hidra_client *client, const char *encoder) {
    hidra_attachment *theirs = attach(client, encoder, "theirs"), *ours = attach(client, encoder, "ours");
    hidra_error *error = NULL;
    hidra_outputs *outputs = NULL, *expected = NULL;
    double first = 0, last = 0;
    for (int step = 0; step < 24; step++) {
        uint64_t rows[batch_rows];
        int32_t truth[batch_rows];
        float gradients[batch_rows * class_count];
        const hidra_batch batch = batch_of(step, rows, truth);
        double loss = 0, norm = 0;
        expect(hidra_forward_backward(client, NULL, theirs, &batch, 0, &loss, NULL, &error) == HIDRA_OK, "forward_backward", &error);
        expect(hidra_optim_step(client, NULL, theirs, 0, &norm, &error) == HIDRA_OK && norm > 0, "optim_step", &error);
        expect(hidra_forward(client, NULL, ours, &batch, true, &outputs, &error) == HIDRA_OK && outputs->rows == batch_rows, "forward", &error);
        last = cross_entropy(outputs->values, batch_rows, class_count, truth, gradients);
        expect(fabs(last - loss) < 1e-4, "both losses are the same", NULL);
        if (step == 0) first = last;
        hidra_free(outputs);
        expect(hidra_backward(client, NULL, ours, gradients, batch_rows, step % 2 == 0, 0, &norm, &error) == HIDRA_OK, "backward", &error);
        if (step % 2 == 1) expect(hidra_optim_step(client, NULL, ours, 0, NULL, &error) == HIDRA_OK, "a step of its own", &error);
    }
    expect(last < first / 2 && ours->steps == 24 && theirs->steps == 24 && theirs->sequence == 48 && ours->sequence == 60, "it learns", NULL);
    const char *const texts[] = {"aa c", "cc a"};
    const hidra_column column = {.name = "anything", .texts = texts};
    const hidra_batch own = {.columns = &column, .column_count = 1, .row_count = 2};
    expect(hidra_forward(client, NULL, theirs, &own, false, &expected, &error) == HIDRA_OK, "texts of its own", &error);
    expect(hidra_forward(client, NULL, ours, &own, false, &outputs, &error) == HIDRA_OK, "texts of its own", &error);
    for (size_t i = 0; i < 4; i++) expect(fabsf(outputs->values[i] - expected->values[i]) < 1e-3f, "both heads are the same", NULL);
    hidra_free(outputs);
    hidra_free(expected);

    hidra_detached *detached = NULL;
    const hidra_metric metrics[] = {{"accuracy", 0.5}};
    expect(hidra_detach(client, NULL, ours, true, metrics, 1, &detached, &error) == HIDRA_OK && detached->has_head &&
               strcmp(detached->head.name, "ours") == 0 && strcmp(detached->state, "finished") == 0 &&
               hidra_metric_value(detached->head.metrics, detached->head.metric_count, "accuracy") == 0.5, "detach", &error);
    hidra_free(detached);
    expect(hidra_detach(client, NULL, ours, true, NULL, 0, NULL, &error) == HIDRA_OK, "detach again", &error);
    expect(hidra_detach(client, NULL, theirs, false, NULL, 0, &detached, &error) == HIDRA_OK && !detached->has_head, "let go", &error);
    hidra_free(detached);
    hidra_free(ours);
    hidra_free(theirs);
}

/* A verb that is refused, or of which nobody knows what came, and a state that is taken back. */
static void numbers(hidra_client *client, const char *encoder) {
    hidra_attachment *head = attach(client, encoder, "numbers");
    hidra_error *error = NULL;
    uint64_t rows[batch_rows];
    int32_t truth[batch_rows];
    hidra_batch batch = batch_of(0, rows, truth);
    expect(hidra_optim_step(client, NULL, head, 0, NULL, &error) == HIDRA_CONFLICT && head->sequence == 0, "a step without gradients", &error);
    expect(hidra_forward_backward(client, NULL, head, &batch, 1, NULL, NULL, &error) == HIDRA_OK && head->sequence == 1,
           "the number is free again", &error);
    const hidra_call hasty = {.timeout = 1e-9};
    expect(hidra_optim_step(client, &hasty, head, 0, NULL, &error) == HIDRA_TIMEOUT && head->sequence == 1, "a time-out", &error);
    expect(hidra_forward_backward(client, NULL, head, &batch, 1, NULL, NULL, &error) == HIDRA_CONFLICT, "another verb", &error);
    expect(hidra_optim_step(client, NULL, head, 0.5, NULL, &error) == HIDRA_CONFLICT, "the same with another rate", &error);
    expect(hidra_optim_step(client, NULL, head, 0, NULL, &error) == HIDRA_OK && head->steps == 1 && head->sequence == 2,
           "the same again is applied once", &error);
    hidra_saved *state = NULL;
    expect(hidra_save_state(client, NULL, head, &state, &error) == HIDRA_OK && state->steps == 1 && strlen(state->digest) == 64,
           "save_state", &error);
    hidra_outputs *before = NULL, *after = NULL;
    double loss = 0;
    expect(hidra_forward_backward(client, NULL, head, &batch, 0.5, &loss, &before, &error) == HIDRA_OK && loss > 0 &&
               before->width == class_count, "with outputs", &error);
    expect(hidra_optim_step(client, NULL, head, 0.1, NULL, &error) == HIDRA_OK && head->steps == 2, "another step", &error);
    expect(hidra_load_state(client, NULL, head, state->data, state->size, &error) == HIDRA_OK && head->steps == 1, "load_state", &error);
    expect(hidra_load_state(client, NULL, head, "nonsense", 8, &error) == HIDRA_INVALID_ARGUMENT, "no state", &error);
    expect(hidra_forward(client, NULL, head, &batch, false, &after, &error) == HIDRA_OK &&
               memcmp(before->values, after->values, sizeof(float) * batch_rows * class_count) == 0, "as it was", &error);
    hidra_free(state);
    hidra_free(before);
    hidra_free(after);
    batch.input_column = "nothing";
    expect(hidra_forward(client, NULL, head, &batch, true, &after, &error) == HIDRA_NOT_FOUND && after == NULL, "no such column", &error);
    batch.data = NULL;
    expect(hidra_forward(client, NULL, head, &batch, true, &after, &error) == HIDRA_INVALID_ARGUMENT, "no rows", &error);
    expect(hidra_detach(client, NULL, head, false, NULL, 0, NULL, &error) == HIDRA_OK, "detach", &error);
    hidra_free(head);
}

/* The connection is lost between a pass and its step. */
static void reattach(hidra_client *client, const char *home, const char *encoder) {
    hidra_error *error = NULL;
    hidra_attachment *head = attach(client, encoder, "resumed"), *again = NULL;
    uint64_t rows[batch_rows];
    int32_t truth[batch_rows];
    const hidra_batch batch = batch_of(0, rows, truth);
    for (int step = 0; step < 2; step++) {
        expect(hidra_forward_backward(client, NULL, head, &batch, 1, NULL, NULL, &error) == HIDRA_OK, "forward_backward", &error);
        expect(hidra_optim_step(client, NULL, head, 0, NULL, &error) == HIDRA_OK, "optim_step", &error);
    }
    expect(hidra_forward_backward(client, NULL, head, &batch, 1, NULL, NULL, &error) == HIDRA_OK && head->sequence == 5, "a pass", &error);
    hidra_goodbye(client);
    client = connect_to(home, "steps again");
    append_rows(client, "rows");
    const hidra_attaching go_on = {.head = "resumed", .run = head->run};
    expect(hidra_attach(client, NULL, &go_on, &again, &error) == HIDRA_OK && again->steps == 2 && again->sequence == 4,
           "as after the last step", &error);
    expect(hidra_forward_backward(client, NULL, again, &batch, 1, NULL, NULL, &error) == HIDRA_OK, "it goes on", &error);
    expect(hidra_optim_step(client, NULL, again, 0, NULL, &error) == HIDRA_OK && again->steps == 3, "and steps", &error);
    expect(hidra_detach(client, NULL, again, true, NULL, 0, NULL, &error) == HIDRA_OK, "detach", &error);
    hidra_free(head);
    hidra_free(again);
    const hidra_attaching nobody = {.head = "nobody", .run = "run-00000000"};
    expect(hidra_attach(client, NULL, &nobody, &again, &error) == HIDRA_NOT_FOUND && again == NULL, "no such run", &error);
    hidra_goodbye(client);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    hidra_client *client = connect_to(arguments[1], "steps");
    if (client == NULL) return 1;
    append_rows(client, "rows");
    own_loss(client, arguments[2]);
    numbers(client, arguments[2]);
    reattach(client, arguments[1], arguments[2]);
    printf("%d not as expected\n", failures);
    return failures > 0;
}
