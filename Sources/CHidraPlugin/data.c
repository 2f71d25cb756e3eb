/* Rows on their way to the daemon, in pieces. */
#include <stdlib.h>
#include <string.h>

#include "calls.h"

/* Bytes of one append: small beside the limit, so that the daemon never decodes for long. Beside itself a value costs a tag and a
 * length. */
enum { piece_bytes = 1 << 20, value_overhead = 6 };

static hidra_code check(
    const hidra_welcome *limits, uint64_t first_row, const hidra_column *columns, size_t column_count, size_t rows,
    hidra_error **error) {
    if (columns == NULL || column_count == 0) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "A data set needs columns.");
    if (rows == 0) return hi_fail(error, HIDRA_INVALID_DATA, "There are no rows to append.");
    if (rows > limits->data_rows || first_row > limits->data_rows - rows)
        return hi_fail(error, HIDRA_LIMIT_EXCEEDED, "hidrad takes %llu rows in a data set. Use fewer.", (unsigned long long)limits->data_rows);
    hidra_code code = hi_check_columns(columns, column_count, rows, error);
    for (size_t row = 0; code == HIDRA_OK && row < rows; row++) {
        uint64_t size = 0;
        for (size_t i = 0; i < column_count; i++)
            size += columns[i].blobs != NULL ? columns[i].blobs[row].size : strlen(columns[i].texts[row]);
        if (size <= limits->message_bytes - limits->message_bytes / 64) continue;
        code = hi_fail(error, HIDRA_LIMIT_EXCEEDED, "Row %zu is larger than a message of hidrad's.", row + 1);
        hi_fail_detail(error, "row", "%zu", row + 1);
        hi_fail_detail(error, "column", "%s", columns[0].name);
    }
    return code;
}

/* The end of a piece: as many rows as fill it, at least one. */
static size_t piece_end(const hidra_column *columns, size_t column_count, size_t first, size_t rows, size_t target) {
    size_t bytes = 0;
    for (size_t row = first; row < rows; row++) {
        size_t size = 0;
        for (size_t i = 0; i < column_count; i++)
            size += value_overhead + (columns[i].texts != NULL ? strlen(columns[i].texts[row]) : columns[i].blobs[row].size);
        if (row > first && bytes + size > target) return row;
        bytes += size;
    }
    return rows;
}

static hidra_code send_piece(
    hidra_client *client, const hidra_call *call, const char *data, uint64_t first_row, const hidra_column *columns,
    size_t column_count, size_t rows, size_t first, size_t end, hidra_error **error) {
    struct arena arena = {0};
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__AppendRowsRequest request = HIDRA__V1__APPEND_ROWS_REQUEST__INIT;
    request.columns = hi_columns_set(&arena, columns, column_count, first, end - first);
    if (arena.exhausted) {
        hi_arena_free(&arena);
        return hi_fail_memory(error);
    }
    request.data = text(data);
    request.first_row = first_row + first;
    request.n_columns = column_count;
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_APPEND_ROWS;
    envelope.append_rows = &request;
    struct message *reply = NULL;
    hidra_code code =
        hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_APPEND_ROWS_REPLY, &reply, error);
    if (code == HIDRA_OK && reply->envelope->append_rows_reply->rows < first_row + end)
        code = hi_fail(error, HIDRA_INTERNAL, "hidrad has %llu rows of %s after %llu were sent. Append them again.",
                    (unsigned long long)reply->envelope->append_rows_reply->rows, data, (unsigned long long)(first_row + end));
    /* This piece was on its way; the next are not. */
    if (code == HIDRA_OK && reply->was_cancelled && end < rows)
        code = hi_fail(error, HIDRA_CANCELLED, "The append was cancelled after %llu rows.", (unsigned long long)(first_row + end));
    hi_message_free(reply);
    hi_arena_free(&arena);
    return code;
}

hidra_code hidra_append_rows(
    hidra_client *client, const hidra_call *call, const char *data, uint64_t first_row, const hidra_column *columns,
    size_t column_count, size_t rows, hidra_error **error) {
    if (error != NULL) *error = NULL;
    const hidra_welcome *limits = client->welcome;
    hidra_code code = hi_check_text(data, "name of the data set", true, error);
    if (code == HIDRA_OK) code = check(limits, first_row, columns, column_count, rows, error);
    size_t target = limits->message_bytes / 2 < piece_bytes ? (size_t)limits->message_bytes / 2 : piece_bytes;
    hidra_call piece = call == NULL ? (hidra_call){0} : *call;
    double deadline = hi_clock_now() + piece.timeout;
    for (size_t first = 0; code == HIDRA_OK && first < rows;) {
        if (piece.timeout > 0) {
            double left = deadline - hi_clock_now();
            piece.timeout = left > 0.001 ? left : 0.001;
        }
        size_t end = piece_end(columns, column_count, first, rows, target);
        code = send_piece(client, &piece, data, first_row, columns, column_count, rows, first, end, error);
        first = end;
    }
    return code;
}

hidra_code hidra_drop_rows(hidra_client *client, const hidra_call *call, const char *data, hidra_error **error) {
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(data, "name of the data set", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__DropRowsRequest request = HIDRA__V1__DROP_ROWS_REQUEST__INIT;
    request.data = text(data);
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_DROP_ROWS;
    envelope.drop_rows = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_DROP_ROWS_REPLY, &reply, error);
    hi_message_free(reply);
    return code;
}
