/* Messages as they travel: an envelope, and raw tensors behind it. */
#ifndef HIDRA_WIRE_H
#define HIDRA_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

#include "arena.h"
#include "hidra/v1/envelope.pb-c.h"

enum { most_frames = 64, most_dimensions = 8 };

/* Largest frame taken from the daemon. */
#define LARGEST_FRAME ((int64_t)256 << 20)

struct message {
    struct arena arena; /* owns all below */
    Hidra__V1__Envelope *envelope;
    const void *tensors[most_frames - 1]; /* as many as `envelope->n_tensors`, aligned for any element */
    bool was_cancelled;   /* this FINAL came although its call had been cancelled */
    struct message *next; /* of a queue */
};

enum received { RECEIVED_NOTHING, RECEIVED_MESSAGE, RECEIVED_GARBAGE, RECEIVED_NO_MEMORY };

/* Takes the next message from a socket, without waiting, and checks it: an envelope, UTF-8 in all its strings, one frame for each
 * tensor, of the size of its shape and type. */
enum received hi_message_receive(void *socket, struct message **message);
/* NULL is allowed. */
void hi_message_free(struct message *message);

/* Bytes of a tensor that was received. */
size_t hi_tensor_bytes(const Hidra__V1__TensorFrame *tensor);

bool hi_is_utf8(const char *text, size_t size);

#endif
