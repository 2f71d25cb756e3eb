/* Where a home's daemon listens: proto/README.md, section 1. */
#ifndef HIDRA_PLACE_H
#define HIDRA_PLACE_H

#include <limits.h>

#include "hidra.h"

struct place {
    char home[PATH_MAX]; /* absolute */
    char directory[128]; /* of the sockets */
};

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
