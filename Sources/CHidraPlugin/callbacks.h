/* Calls of the daemon, answered by the program's callbacks. */
#ifndef HIDRA_CALLBACKS_INTERNAL_H
#define HIDRA_CALLBACKS_INTERNAL_H

#include "calls.h"

/* What goes back: an envelope, and with a loss one tensor. Its memory is the arena's and the call's. */
struct call_answer {
    struct arena arena;
    Hidra__V1__Envelope envelope;
    hidra_bytes tensor;
};

/* What a callback fills in. */
struct hidra_result {
    struct arena *arena;
    const hidra_question *question;
    Hidra__V1__CallResult *message;
    float *gradients;
    size_t metric_space;
    const char *problem;
};

/* Runs the callback a call asks for. What it fails with, or what is too large to send, becomes the answer's problem. */
void hi_call_answer(
    struct call_answer *answer, const struct message *message, const hidra_callbacks *callbacks, size_t message_bytes);

/* The kinds of call that are answered: at most four. `callbacks` may be NULL. */
size_t hi_call_kinds(const hidra_callbacks *callbacks, Hidra__V1__CallKind kinds[static 4]);

#endif
