#include "wire.h"

#include <stdlib.h>
#include <string.h>

bool hi_is_utf8(const char *text, size_t size) {
    const unsigned char *byte = (const unsigned char *)text, *end = byte + size;
    while (byte < end) {
        unsigned char first = *byte++;
        if (first < 0x80) continue;
        /* Length, and the range of the second byte: no overlong forms, no surrogates, nothing above U+10FFFF. */
        size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (first < 0xC2 || first > 0xF4 || (size_t)(end - byte) < more) return false;
        if (*byte < least || *byte > most) return false;
        for (byte++; --more > 0; byte++)
            if ((*byte & 0xC0) != 0x80) return false;
    }
    return true;
}

static bool value_has_texts(const ProtobufCFieldDescriptor *field, const void *member);

/* protobuf-c does not look into strings. All of a message's, and of those in it. Our messages are not recursive. */
static bool has_texts(const ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        const char *member = (const char *)message + field->offset, *quantifier = (const char *)message + field->quantifier_offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = *(const size_t *)(const void *)quantifier;
            const char *const *values = *(const char *const *const *)(const void *)member;
            for (size_t k = 0; k < count; k++)
                if (!value_has_texts(field, &values[k])) return false;
        } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 || *(const uint32_t *)(const void *)quantifier == field->id) {
            if (!value_has_texts(field, member)) return false;
        }
    }
    return true;
}

static bool value_has_texts(const ProtobufCFieldDescriptor *field, const void *member) {
    const void *value = *(const void *const *)member;
    if (value == NULL) return true;
    return field->type == PROTOBUF_C_TYPE_STRING ? hi_is_utf8(value, strlen(value)) : has_texts(value);
}

/* Bytes of an element, 0 for a type that is not known. */
static size_t element_size(Hidra__V1__DataType type) {
    switch (type) {
    case HIDRA__V1__DATA_TYPE__INT8: case HIDRA__V1__DATA_TYPE__UINT8: case HIDRA__V1__DATA_TYPE__BOOL: return 1;
    case HIDRA__V1__DATA_TYPE__FLOAT16: case HIDRA__V1__DATA_TYPE__BFLOAT16: case HIDRA__V1__DATA_TYPE__INT16:
    case HIDRA__V1__DATA_TYPE__UINT16: return 2;
    case HIDRA__V1__DATA_TYPE__FLOAT32: case HIDRA__V1__DATA_TYPE__INT32: case HIDRA__V1__DATA_TYPE__UINT32: return 4;
    case HIDRA__V1__DATA_TYPE__FLOAT64: case HIDRA__V1__DATA_TYPE__INT64: case HIDRA__V1__DATA_TYPE__UINT64: return 8;
    default: return 0;
    }
}

size_t hi_tensor_bytes(const Hidra__V1__TensorFrame *tensor) {
    size_t size = element_size(tensor->type);
    for (size_t i = 0; i < tensor->n_shape; i++) size *= (size_t)tensor->shape[i];
    return size;
}

static bool agrees(const Hidra__V1__TensorFrame *tensor, size_t size) {
    size_t expected = element_size(tensor->type);
    if (expected == 0 || tensor->n_shape > most_dimensions) return false;
    bool is_empty = false;
    for (size_t i = 0; i < tensor->n_shape; i++) is_empty |= tensor->shape[i] == 0;
    if (is_empty) return size == 0;
    for (size_t i = 0; i < tensor->n_shape; i++) {
        if (tensor->shape[i] > SIZE_MAX / expected) return false;
        expected *= (size_t)tensor->shape[i];
    }
    return size == expected;
}

static enum received decode(zmq_msg_t *frames, int count, struct message *message) {
    ProtobufCAllocator allocator = hi_arena_allocator(&message->arena);
    message->envelope = hidra__v1__envelope__unpack(&allocator, zmq_msg_size(&frames[0]), zmq_msg_data(&frames[0]));
    if (message->envelope == NULL) return message->arena.exhausted ? RECEIVED_NO_MEMORY : RECEIVED_GARBAGE;
    if (message->envelope->n_tensors != (size_t)count - 1 || !has_texts(&message->envelope->base)) return RECEIVED_GARBAGE;
    for (int i = 1; i < count; i++) {
        size_t size = zmq_msg_size(&frames[i]);
        if (!agrees(message->envelope->tensors[i - 1], size)) return RECEIVED_GARBAGE;
        void *tensor = hi_arena_allocate(&message->arena, size);
        if (tensor == NULL) return RECEIVED_NO_MEMORY;
        if (size > 0) memcpy(tensor, zmq_msg_data(&frames[i]), size);
        message->tensors[i - 1] = tensor;
    }
    return RECEIVED_MESSAGE;
}

enum received hi_message_receive(void *socket, struct message **result) {
    zmq_msg_t frames[most_frames];
    int count = 0, excess = 0, more = 1;
    while (more) {
        zmq_msg_t spare, *frame = count < most_frames ? &frames[count] : &spare;
        zmq_msg_init(frame);
        /* The parts of a message arrive together: only the first can be missing. */
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            break;
        }
        more = zmq_msg_more(frame);
        if (frame != &spare) {
            count++;
        } else {
            excess++;
            zmq_msg_close(frame);
        }
    }
    if (count == 0) return RECEIVED_NOTHING;

    struct message *message = calloc(1, sizeof *message);
    enum received outcome = message == NULL ? RECEIVED_NO_MEMORY : excess > 0 ? RECEIVED_GARBAGE : decode(frames, count, message);
    for (int i = 0; i < count; i++) zmq_msg_close(&frames[i]);
    if (outcome == RECEIVED_MESSAGE) *result = message;
    else hi_message_free(message);
    return outcome;
}

void hi_message_free(struct message *message) {
    if (message == NULL) return;
    hi_arena_free(&message->arena);
    free(message);
}
