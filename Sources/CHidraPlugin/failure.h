/* Making errors. */
#ifndef HIDRA_FAILURE_H
#define HIDRA_FAILURE_H

#include "hidra.h"
#include "hidra/v1/envelope.pb-c.h"
#include "arena.h"

/* Returns `code`, and gives the caller an error with this message if `error` is not NULL. */
hidra_code hi_fail(hidra_error **error, hidra_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds a detail to an error that `hi_fail` made; at most four. `error` may be NULL. */
void hi_fail_detail(hidra_error **error, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

hidra_code hi_fail_memory(hidra_error **error);

/* The error of a reply. Takes over the arena it lies in. */
hidra_code hi_fail_received(hidra_error **error, struct arena *arena, const Hidra__V1__Error *received);

hidra_code hi_code_named(const char *name);

#endif
