/* Hidra's client for C: ONNX graphs. Part of hidra.h, whose rules on ownership and errors apply. */
#ifndef HIDRA_GRAPHS_H
#define HIDRA_GRAPHS_H

#include "hidra_registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hidra_graph_value {
    const char *name, *type; /* "float32", "int64", ...; empty when it cannot be told */
    size_t dimension_count;
    const char *const *shape; /* numbers, or names of symbolic dimensions, or "?" */
} hidra_graph_value;

typedef struct hidra_graph_problem {
    const char *node, *message; /* node: its name, or that of its first output; empty when the whole graph is meant */
} hidra_graph_problem;

typedef struct hidra_graph_role {
    const char *input, *role;  /* "vectors", "states", "mask", "lengths" or "none" */
    const char *of, *problem;  /* of a mask or lengths: the input of states they belong to; of "none": why */
} hidra_graph_role;

typedef struct hidra_graph {
    uint64_t parameters, weight_bytes, activation_bytes;
    size_t input_count, output_count, problem_count, remark_count, role_count;
    const hidra_graph_value *inputs, *outputs;
    const hidra_graph_problem *problems; /* everything for which it would be refused; none: it can be used */
    const hidra_graph_problem *remarks;
    const hidra_graph_role *roles;       /* what each input would read if the graph were a head's */
} hidra_graph;

/* What the daemon would make of an ONNX ModelProto. A graph with problems is no error. `batch`: for the memory estimate, 0: 1. */
hidra_code hidra_check_graph(
    hidra_client *client, const hidra_call *call, hidra_bytes model, uint64_t batch, hidra_graph **graph, hidra_error **error);

/* Types of elements, numbered as in the protocol. */
typedef enum hidra_type {
    HIDRA_FLOAT32 = 1, HIDRA_FLOAT64, HIDRA_FLOAT16, HIDRA_BFLOAT16, HIDRA_INT8, HIDRA_INT16, HIDRA_INT32, HIDRA_INT64, HIDRA_UINT8,
    HIDRA_UINT16, HIDRA_UINT32, HIDRA_UINT64, HIDRA_BOOL, /* one byte, 0 or 1 */
} hidra_type;

/* Row-major, little-endian as it travels, without padding. */
typedef struct hidra_tensor {
    const char *name;
    hidra_type type;
    size_t dimension_count; /* at most 8 */
    const uint64_t *shape;
    hidra_bytes bytes;
} hidra_tensor;

typedef struct hidra_graph_run {
    size_t output_count;
    const hidra_tensor *outputs;
    double seconds;
} hidra_graph_run;

/* Runs a graph once, with at most 63 tensors under the names of its inputs. */
hidra_code hidra_run_graph(
    hidra_client *client, const hidra_call *call, hidra_bytes model, const hidra_tensor *inputs, size_t input_count,
    hidra_graph_run **run, hidra_error **error);

#ifdef __cplusplus
}
#endif

#endif
