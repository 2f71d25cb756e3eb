/* Heads trained step by step: their numbered verbs. */
#ifndef HIDRA_ATTACHMENTS_H
#define HIDRA_ATTACHMENTS_H

#include "calls.h"

/* Asks for a verb. `number`: the request's sequence, set here; NULL: it has none. `tensor`: of an envelope that announces one. */
hidra_code hi_attachment_ask(
    hidra_client *client, const hidra_call *call, const hidra_attachment *attachment, Hidra__V1__Envelope *envelope, uint64_t *number,
    const hidra_bytes *tensor, Hidra__V1__Envelope__KindCase expected, struct message **reply, hidra_error **error);

#endif
