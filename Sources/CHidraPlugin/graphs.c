/* ONNX graphs: looked at, and run. */
#include <string.h>

#include "calls.h"

static const hidra_graph_value *values_of(struct arena *arena, Hidra__V1__GraphValue **received, size_t count) {
    hidra_graph_value *values = hi_arena_array(arena, count, sizeof *values);
    for (size_t i = 0; values != NULL && i < count; i++)
        values[i] = (hidra_graph_value){received[i]->name, received[i]->type, received[i]->n_shape, names(received[i]->shape)};
    return values;
}

static const hidra_graph_problem *problems_of(struct arena *arena, Hidra__V1__GraphProblem **received, size_t count) {
    hidra_graph_problem *problems = hi_arena_array(arena, count, sizeof *problems);
    for (size_t i = 0; problems != NULL && i < count; i++)
        problems[i] = (hidra_graph_problem){received[i]->node, received[i]->message};
    return problems;
}

hidra_code hidra_check_graph(
    hidra_client *client, const hidra_call *call, hidra_bytes model, uint64_t batch, hidra_graph **graph, hidra_error **error) {
    *graph = NULL;
    if (error != NULL) *error = NULL;
    Hidra__V1__CheckGraphRequest request = HIDRA__V1__CHECK_GRAPH_REQUEST__INIT;
    request.model = (ProtobufCBinaryData){model.size, (uint8_t *)(uintptr_t)model.data};
    request.batch = batch;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_CHECK_GRAPH;
    envelope.check_graph = &request;
    struct message *reply = NULL;
    hidra_code code =
        hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_CHECK_GRAPH_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    const Hidra__V1__CheckGraphReply *received = reply->envelope->check_graph_reply;
    code = hi_result_create(graph, sizeof **graph, reply, error);
    if (code != HIDRA_OK) return code;
    struct arena *arena = hi_owned_arena(*graph);
    hidra_graph_role *roles = hi_arena_array(arena, received->n_roles, sizeof *roles);
    for (size_t i = 0; roles != NULL && i < received->n_roles; i++) {
        const Hidra__V1__GraphInputRole *role = received->roles[i];
        roles[i] = (hidra_graph_role){role->input, role->role, role->of, role->problem};
    }
    **graph = (hidra_graph){
        .parameters = received->parameters, .weight_bytes = received->weight_bytes, .activation_bytes = received->activation_bytes,
        .input_count = received->n_inputs, .inputs = values_of(arena, received->inputs, received->n_inputs),
        .output_count = received->n_outputs, .outputs = values_of(arena, received->outputs, received->n_outputs),
        .problem_count = received->n_problems, .problems = problems_of(arena, received->problems, received->n_problems),
        .remark_count = received->n_remarks, .remarks = problems_of(arena, received->remarks, received->n_remarks),
        .role_count = received->n_roles, .roles = roles,
    };
    return hi_result_finish(graph, error);
}

/* Frames and bytes of the inputs. */
static hidra_code set_tensors(
    Hidra__V1__Envelope *envelope, hidra_bytes bytes[static most_frames], struct arena *arena, const hidra_tensor *inputs, size_t count,
    hidra_error **error) {
    if (count > most_frames - 1) return hi_fail(error, HIDRA_LIMIT_EXCEEDED, "%zu inputs; a message has at most %d.", count, most_frames - 1);
    Hidra__V1__TensorFrame *frames = hi_arena_array(arena, count, sizeof *frames);
    envelope->tensors = hi_arena_array(arena, count, sizeof *envelope->tensors);
    if (arena->exhausted) return hi_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        hidra_code code = hi_check_text(inputs[i].name, "name of an input", true, error);
        if (code != HIDRA_OK) return code;
        hidra__v1__tensor_frame__init(envelope->tensors[i] = &frames[i]);
        frames[i].name = text(inputs[i].name);
        frames[i].type = (Hidra__V1__DataType)inputs[i].type;
        frames[i].n_shape = inputs[i].dimension_count;
        frames[i].shape = (uint64_t *)(uintptr_t)inputs[i].shape;
        bytes[i] = inputs[i].bytes;
    }
    envelope->n_tensors = count;
    return HIDRA_OK;
}

static hidra_code run_of(struct message *reply, hidra_graph_run **run, hidra_error **error) {
    const Hidra__V1__Envelope *envelope = reply->envelope;
    const void *tensors[most_frames - 1];
    memcpy(tensors, reply->tensors, sizeof tensors);
    hidra_code code = hi_result_create(run, sizeof **run, reply, error);
    if (code != HIDRA_OK) return code;
    /* The envelope lies in memory that the result has taken over. */
    hidra_tensor *outputs = hi_arena_array(hi_owned_arena(*run), envelope->n_tensors, sizeof *outputs);
    for (size_t i = 0; outputs != NULL && i < envelope->n_tensors; i++) {
        const Hidra__V1__TensorFrame *frame = envelope->tensors[i];
        outputs[i] = (hidra_tensor){
            frame->name, (hidra_type)frame->type, frame->n_shape, frame->shape, {tensors[i], hi_tensor_bytes(frame)}};
    }
    **run = (hidra_graph_run){
        .output_count = outputs == NULL ? 0 : envelope->n_tensors, .outputs = outputs, .seconds = envelope->run_graph_reply->seconds};
    return hi_result_finish(run, error);
}

hidra_code hidra_run_graph(
    hidra_client *client, const hidra_call *call, hidra_bytes model, const hidra_tensor *inputs, size_t input_count,
    hidra_graph_run **run, hidra_error **error) {
    *run = NULL;
    if (error != NULL) *error = NULL;
    struct arena arena = {0};
    hidra_bytes bytes[most_frames];
    Hidra__V1__RunGraphRequest request = HIDRA__V1__RUN_GRAPH_REQUEST__INIT;
    request.model = (ProtobufCBinaryData){model.size, (uint8_t *)(uintptr_t)model.data};
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_RUN_GRAPH;
    envelope.run_graph = &request;
    hidra_code code = set_tensors(&envelope, bytes, &arena, inputs, input_count, error);
    struct extras extras = {.tensors = bytes};
    struct message *reply = NULL;
    if (code == HIDRA_OK)
        code = hi_connection_exchange(client->connection, WORK, call, &envelope, &extras, HIDRA__V1__ENVELOPE__KIND_RUN_GRAPH_REPLY,
                                    &reply, error);
    hi_arena_free(&arena);
    return code == HIDRA_OK ? run_of(reply, run, error) : code;
}
