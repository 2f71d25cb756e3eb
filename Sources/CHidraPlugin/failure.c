#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { most_details = 4 };

static const char *const names[] = {
    [HIDRA_OK] = "ok",
    [HIDRA_INTERNAL] = "internal",
    [HIDRA_INVALID_ARGUMENT] = "invalid_argument",
    [HIDRA_NOT_FOUND] = "not_found",
    [HIDRA_INVALID_DATA] = "invalid_data",
    [HIDRA_ALREADY_EXISTS] = "already_exists",
    [HIDRA_CONFLICT] = "conflict",
    [HIDRA_ALREADY_RUNNING] = "already_running",
    [HIDRA_UNAVAILABLE] = "unavailable",
    [HIDRA_INCOMPATIBLE_VERSION] = "incompatible_version",
    [HIDRA_PERMISSION_DENIED] = "permission_denied",
    [HIDRA_TIMEOUT] = "timeout",
    [HIDRA_CANCELLED] = "cancelled",
    [HIDRA_INTERRUPTED] = "interrupted",
    [HIDRA_LIMIT_EXCEEDED] = "limit_exceeded",
    [HIDRA_DISK_FULL] = "disk_full",
    [HIDRA_CORRUPT] = "corrupt",
    [HIDRA_UNSUPPORTED] = "unsupported",
    [HIDRA_OUT_OF_MEMORY] = "out_of_memory",
};
enum { name_count = sizeof names / sizeof *names };

const char *hidra_code_name(hidra_code code) { return (unsigned)code < name_count ? names[code] : names[HIDRA_INTERNAL]; }

hidra_code hi_code_named(const char *name) {
    /* What the daemon cannot send counts as unknown. */
    for (int code = HIDRA_INTERNAL; code < HIDRA_OUT_OF_MEMORY; code++)
        if (strcmp(names[code], name) == 0) return (hidra_code)code;
    return HIDRA_INTERNAL;
}

const char *hidra_error_detail(const hidra_error *error, const char *key) {
    for (size_t i = 0; error != NULL && i < error->detail_count; i++)
        if (strcmp(error->details[i].key, key) == 0) return error->details[i].value;
    return NULL;
}

static char *formatted(struct arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : hi_arena_allocate(arena, (size_t)length + 1);
    if (text != NULL) vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

hidra_code hi_fail(hidra_error **error, hidra_code code, const char *format, ...) {
    if (error == NULL) return code;
    hidra_error *made = *error = hi_owned_create(NULL, sizeof *made);
    if (made == NULL) return code;
    va_list arguments;
    va_start(arguments, format);
    char *message = formatted(hi_owned_arena(made), format, arguments);
    va_end(arguments);
    made->code = code;
    made->message = message == NULL ? "" : message;
    made->details = hi_arena_array(hi_owned_arena(made), most_details, sizeof *made->details);
    return code;
}

void hi_fail_detail(hidra_error **error, const char *key, const char *format, ...) {
    if (error == NULL || *error == NULL) return;
    hidra_error *made = *error;
    if (made->details == NULL || made->detail_count == most_details) return;
    va_list arguments;
    va_start(arguments, format);
    char *value = formatted(hi_owned_arena(made), format, arguments);
    va_end(arguments);
    char *name = hi_arena_copy(hi_owned_arena(made), key);
    if (name == NULL || value == NULL) return;
    ((hidra_detail *)made->details)[made->detail_count++] = (hidra_detail){name, value};
}

hidra_code hi_fail_memory(hidra_error **error) {
    return hi_fail(error, HIDRA_OUT_OF_MEMORY, "This process has no memory left.");
}

hidra_code hi_fail_received(hidra_error **error, struct arena *arena, const Hidra__V1__Error *received) {
    hidra_code code = hi_code_named(received->code);
    if (error == NULL) return code;
    hidra_error *made = *error = hi_owned_create(arena, sizeof *made);
    if (made == NULL) return code;
    made->code = code;
    made->message = received->message;
    hidra_detail *details = hi_arena_array(hi_owned_arena(made), received->n_details, sizeof *details);
    if (details == NULL) return code;
    made->details = details;
    made->detail_count = received->n_details;
    for (size_t i = 0; i < received->n_details; i++)
        details[i] = (hidra_detail){received->details[i]->key, received->details[i]->value};
    return code;
}
