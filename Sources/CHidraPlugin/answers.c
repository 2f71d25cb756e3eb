/* Vectors of inputs; and what all that is asked of inputs shares. */
#include <stdlib.h>
#include <string.h>

#include "calls.h"

hidra_code hi_check_asked(const hidra_inputs *inputs, uint32_t most, hidra_error **error) {
    if (inputs->count > most) {
        hi_fail(error, HIDRA_LIMIT_EXCEEDED, "%zu inputs in one request; hidrad takes %u. Send them in parts.", inputs->count, most);
        hi_fail_detail(error, "limit", "%u", most);
        return HIDRA_LIMIT_EXCEEDED;
    }
    if (inputs->count > 0 && (inputs->texts != NULL) + (inputs->images != NULL) + (inputs->columns != NULL) != 1)
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The inputs are either texts or images or columns.");
    if (inputs->columns != NULL) return hi_check_columns(inputs->columns, inputs->column_count, inputs->count, error);
    for (size_t i = 0; inputs->texts != NULL && i < inputs->count; i++) {
        if (inputs->texts[i] != NULL && hi_is_utf8(inputs->texts[i], strlen(inputs->texts[i]))) continue;
        hi_fail(error, HIDRA_INVALID_ARGUMENT, "Text %zu is %s.", i + 1, inputs->texts[i] == NULL ? "NULL" : "no UTF-8");
        hi_fail_detail(error, "row", "%zu", i + 1);
        return HIDRA_INVALID_ARGUMENT;
    }
    return HIDRA_OK;
}

ProtobufCBinaryData *hi_images_set(struct arena *arena, const hidra_inputs *inputs) {
    ProtobufCBinaryData *images = inputs->images == NULL ? NULL : hi_arena_array(arena, inputs->count, sizeof *images);
    for (size_t i = 0; images != NULL && i < inputs->count; i++)
        images[i] = (ProtobufCBinaryData){inputs->images[i].size, (uint8_t *)(uintptr_t)inputs->images[i].data};
    return images;
}

static hidra_code embeddings_of(struct message *reply, size_t rows, hidra_embeddings **embeddings, hidra_error **error) {
    const Hidra__V1__EmbedReply *received = reply->envelope->embed_reply;
    const Hidra__V1__TensorFrame *tensor = reply->envelope->n_tensors == 1 ? reply->envelope->tensors[0] : NULL;
    if (tensor == NULL || tensor->type != HIDRA__V1__DATA_TYPE__FLOAT32 || tensor->n_shape != 2 || tensor->shape[0] != rows) {
        hi_message_free(reply);
        return hi_fail(error, HIDRA_INTERNAL, "hidrad answered without a vector for each input. Are both of one version?");
    }
    size_t width = (size_t)tensor->shape[1];
    const void *values = reply->tensors[0];
    hidra_code code = hi_result_create(embeddings, sizeof **embeddings, reply, error);
    if (code != HIDRA_OK) return code;
    hidra_problem *problems = hi_arena_array(hi_owned_arena(*embeddings), received->n_problems, sizeof *problems);
    for (size_t i = 0; problems != NULL && i < received->n_problems; i++)
        problems[i] = (hidra_problem){received->problems[i]->key, received->problems[i]->value};
    **embeddings = (hidra_embeddings){
        .rows = rows, .width = width, .values = hi_words(values, rows * width),
        .problem_count = problems == NULL ? 0 : received->n_problems, .problems = problems, .truncated = received->truncated,
        .cached = received->cached, .seconds = received->seconds,
    };
    return hi_result_finish(embeddings, error);
}

hidra_code hidra_embed(
    hidra_client *client, const hidra_call *call, const char *encoder, const hidra_inputs *inputs, const char *tap,
    const char *precision, hidra_embeddings **embeddings, hidra_error **error) {
    *embeddings = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(encoder, "encoder's name", true, error);
    if (code == HIDRA_OK) code = hi_check_asked(inputs, client->welcome->texts_per_request, error);
    if (code == HIDRA_OK && inputs->columns != NULL)
        code = hi_fail(error, HIDRA_INVALID_ARGUMENT, "Vectors are made of texts or images; columns are for heads.");
    if (code == HIDRA_OK) code = hi_check_text(tap, "tap's name", false, error);
    if (code == HIDRA_OK) code = hi_check_text(precision, "precision", false, error);
    if (code != HIDRA_OK) return code;
    struct arena arena = {0};
    Hidra__V1__EmbedRequest request = HIDRA__V1__EMBED_REQUEST__INIT;
    request.encoder = text(encoder);
    request.n_texts = inputs->texts == NULL ? 0 : inputs->count;
    request.texts = texts(inputs->texts);
    request.images = hi_images_set(&arena, inputs);
    request.n_images = request.images == NULL ? 0 : inputs->count;
    request.tap = text(tap);
    request.precision = text(precision);
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_EMBED;
    envelope.embed = &request;
    struct message *reply = NULL;
    code = arena.exhausted ? hi_fail_memory(error)
        : hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_EMBED_REPLY, &reply, error);
    hi_arena_free(&arena);
    return code == HIDRA_OK ? embeddings_of(reply, inputs->count, embeddings, error) : code;
}
