#include "prices.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { unusable = 4, longest_number = 32 };

static int complain(const char *path, size_t line, const char *what) {
    if (line > 0) fprintf(stderr, "price-regressor: %s, line %zu: %s\n", path, line, what);
    else fprintf(stderr, "price-regressor: %s: %s\n", path, what);
    return unusable;
}

/* The whole file, ended by a zero; NULL with errno. */
static char *contents_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = NULL;
    size_t size = 0, room = 1 << 16;
    for (char *larger; (larger = realloc(text, room + 1)) != NULL; room *= 2) {
        text = larger;
        size += fread(text + size, 1, room - size, file);
        if (size < room) break;
    }
    int failed = ferror(file) != 0 || text == NULL;
    fclose(file);
    if (failed) {
        free(text);
        return NULL;
    }
    text[size] = 0;
    return text;
}

/* One line: `price TAB description`. */
static int add(struct prices *prices, const char *path, size_t line, char *text) {
    char *tab = strchr(text, '\t'), *end;
    if (tab == NULL || tab[1] == 0) return complain(path, line, "a price, a tab and a description are wanted");
    double price = strtod(text, &end);
    if (end != tab || !(price > 0) || !isfinite(price)) return complain(path, line, "the price is no number above 0");
    char *logarithm = malloc(longest_number);
    if (logarithm == NULL) return complain(path, line, "no memory");
    snprintf(logarithm, longest_number, "%.6f", log10(price));
    prices->logarithms[prices->count] = logarithm;
    prices->descriptions[prices->count++] = tab + 1;
    return 0;
}

static int read_lines(const char *path, int has_prices, struct prices *prices) {
    *prices = (struct prices){.contents = contents_of(path)};
    if (prices->contents == NULL) return complain(path, 0, strerror(errno));
    size_t lines = 1;
    for (const char *byte = prices->contents; *byte != 0; byte++) lines += *byte == '\n';
    prices->descriptions = calloc(lines, sizeof *prices->descriptions);
    prices->logarithms = calloc(lines, sizeof *prices->logarithms);
    if (prices->descriptions == NULL || prices->logarithms == NULL) return complain(path, 0, "no memory");
    size_t number = 0;
    for (char *line = prices->contents, *next; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        if (*line == 0 || (++number == 1 && has_prices)) continue;
        int status = 0;
        if (has_prices) status = add(prices, path, number, line);
        else prices->descriptions[prices->count++] = line;
        if (status != 0) return status;
    }
    return prices->count > 0 ? 0 : complain(path, 0, "there is nothing in it");
}

int prices_read(const char *path, struct prices *prices) { return read_lines(path, 1, prices); }

int prices_read_unseen(const char *path, struct prices *prices) { return read_lines(path, 0, prices); }

void prices_free(struct prices *prices) {
    for (size_t i = 0; prices->logarithms != NULL && i < prices->count; i++) free(prices->logarithms[i]);
    free(prices->logarithms);
    free(prices->descriptions);
    free(prices->contents);
}
