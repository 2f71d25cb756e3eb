/* Hidra's client for C: rows and files on their way to the daemon. Part of hidra.h, whose rules on ownership and errors apply. */
#ifndef HIDRA_DATA_H
#define HIDRA_DATA_H

#include "hidra_client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hidra_bytes {
    const void *data;
    size_t size;
} hidra_bytes;

/* One column: `texts` (labels and numbers are text too), or `blobs` (encoded files, e.g. images). */
typedef struct hidra_column {
    const char *name;
    const char *const *texts;
    const hidra_bytes *blobs;
} hidra_column;

/* Appends rows to a data set of this client, in messages of about 1 MiB; the first append makes it. The daemon holds it until
 * `hidra_drop_rows` or `hidra_goodbye`.
 *
 * first_row: how many rows were appended before; rows that are there already are skipped, so that an append can be repeated.
 * columns: the same names and kinds each time, each with `rows` values. `rows` 0 is HIDRA_INVALID_DATA.
 * A text that is no UTF-8, or a row above the daemon's limit, is refused before anything is sent, with details "row" (from 1) and
 * "column". */
hidra_code hidra_append_rows(
    hidra_client *client, const hidra_call *call, const char *data, uint64_t first_row, const hidra_column *columns,
    size_t column_count, size_t rows, hidra_error **error);

hidra_code hidra_drop_rows(hidra_client *client, const hidra_call *call, const char *data, hidra_error **error);

/* Sends a file, or what the daemon lacks of it: what it has of one stays for a day, so that an upload that was cut short is gone on with
 * by calling again, on another connection too. Progress is of bytes. HIDRA_LIMIT_EXCEEDED or HIDRA_DISK_FULL before anything is sent.
 *
 * digest: the caller's; gets the file's SHA-256, by which it is known, and a zero. */
hidra_code hidra_upload(hidra_client *client, const hidra_call *call, const char *path, char digest[65], hidra_error **error);

/* A table in a file. */
typedef struct hidra_table {
    const char *digest; /* of an upload; or */
    const char *path;   /* absolute, on the daemon's machine, which only clients there may name */
    const char *format; /* "csv", "tsv" or "jsonl"; NULL: by the path's extension */
    const char *const *columns; /* to keep, in this order; none: all */
    size_t column_count;
} hidra_table;

typedef struct hidra_opened {
    uint64_t rows, bytes;
    size_t column_count;
    const char *const *columns;
} hidra_opened;

/* Makes a data set of this client of a table, as `hidra_append_rows` would. `opened` may be NULL. */
hidra_code hidra_open_data(
    hidra_client *client, const hidra_call *call, const char *data, const hidra_table *table, hidra_opened **opened, hidra_error **error);

#ifdef __cplusplus
}
#endif

#endif
