/* Hidra's client for C: talks to `hidrad`, the daemon of the Hidra workbench, over its protocol (proto/README.md).
 *
 *     hidra_client *client = NULL;
 *     hidra_error *error = NULL;
 *     hidra_options options = {.client = "my-program 1.0", .start = true};
 *     if (hidra_connect(&options, &client, &error) != HIDRA_OK) { fputs(error->message, stderr); hidra_free(error); }
 *     ...
 *     hidra_goodbye(client);
 *
 * Ownership. What a function takes stays the caller's; it is copied, or read until the call returns. What a function gives
 * (through a pointer to a pointer: results and errors) is the caller's and goes, whole, with one `hidra_free`; every pointer
 * inside it lives as long as it. Strings are UTF-8, end with a zero, and are never NULL in results. In what the caller fills in,
 * NULL and zero mean the default: begin with `= {0}` or name the members that matter.
 *
 * Threads. Any number of threads may use one client at a time; calls run side by side. A call blocks its thread until the
 * daemon has answered. Progress functions run on the thread of their call, without a lock: they may use the client.
 * `hidra_goodbye` must be the last use, when no call is open. A client has one thread of its own, which blocks all signals.
 * The child of a fork must not use the client, but connect anew. There is no global state.
 *
 * Errors. Every call returns a code and, where the caller asks, an error with a message that says what to do. `error` may be
 * NULL. On failure the result is NULL. No call waits for ever: see `hidra_call`.
 */
#ifndef HIDRA_H
#define HIDRA_H

#include "hidra_callbacks.h"
#include "hidra_client.h"
#include "hidra_data.h"
#include "hidra_graphs.h"
#include "hidra_heads.h"
#include "hidra_registry.h"
#include "hidra_steps.h"

#endif
