/* The data: what is offered, and for how much. */
#ifndef PRICES_H
#define PRICES_H

#include <stddef.h>

struct prices {
    size_t count;
    char **descriptions;
    char **logarithms; /* of the price to the base of 10, as text: prices go over six orders of magnitude */
    char *contents;    /* the file; the descriptions lie in it */
};

/* Reads `price TAB description` lines below a head line. 0, or 4 (data that cannot be used, with a message on standard error). */
int prices_read(const char *path, struct prices *prices);
/* Lines of a file, as descriptions without prices. */
int prices_read_unseen(const char *path, struct prices *prices);
void prices_free(struct prices *prices);

#endif
