/* Where a home's daemon listens: proto/README.md, section 1. */
#ifndef HIDRA_PLACE_H
#define HIDRA_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "hidra.h"

struct place {
    char home[PATH_MAX]; /* absolute */
    char directory[320]; /* of the sockets; of a daemon on another machine its address, tcp://HOST:PORT */
    bool is_remote;
    char server_key[41], public_key[41], secret_key[41]; /* of a daemon on another machine: Z85 */
};

/* A daemon on another machine, in remote.c. `server`: its address, NULL: as the key says; `key`: a file, as `hidra keys new -o` writes it.
 * HIDRA_NOT_FOUND, HIDRA_PERMISSION_DENIED when others may read it, HIDRA_CORRUPT, HIDRA_INVALID_ARGUMENT for an address that is none. */
hidra_code hi_remote_place(struct place *place, const char *server, const char *key, hidra_error **error);
/* The address of a socket: 0 control, 1 work. */
void hi_remote_endpoint(const struct place *place, int channel, char *endpoint, size_t size);
/* Sets the keys of a socket. */
bool hi_remote_secure(const struct place *place, void *socket);

/* Resolves the home; `named` NULL: by the environment. */
hidra_code hi_place_home(struct place *place, const char *named, hidra_error **error);

/* Finds the socket directory, by the daemon's record or as it follows from the home, and checks that it is this user's alone.
 * HIDRA_UNAVAILABLE when there is none. */
hidra_code hi_place_sockets(struct place *place, hidra_error **error);

/* Whether the daemon has made all its sockets. */
bool hi_place_is_bound(const struct place *place);

/* Makes the home, and what is missing above it, for its owner alone. */
hidra_code hi_place_make_home(const struct place *place, hidra_error **error);

#endif
