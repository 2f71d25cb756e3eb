/* Files sent whole, named by what they contain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "sha256.h"

/* Bytes of one message: the daemon checks and writes each before it takes other work's next one. */
enum { piece_bytes = 4 << 20 };

static hidra_code unreadable(const char *path, hidra_error **error) {
    return hi_fail(error, HIDRA_NOT_FOUND, "%s cannot be read: %s. Check the path.", path, strerror(errno));
}

static hidra_code digest_of(FILE *file, const char *path, uint8_t *buffer, uint64_t *size, char digest[static 65], hidra_error **error) {
    struct sha256 hash;
    hi_sha256_begin(&hash);
    for (size_t count; (count = fread(buffer, 1, piece_bytes, file)) > 0;) hi_sha256_add(&hash, buffer, count);
    if (ferror(file)) return unreadable(path, error);
    *size = hash.bytes;
    hi_sha256_end(&hash, digest);
    return HIDRA_OK;
}

/* Sends one piece, or with none asks what is there. */
static hidra_code send_piece(
    hidra_client *client, const hidra_call *call, const char *digest, uint64_t size, uint64_t *offset, const uint8_t *piece, size_t count,
    bool *is_complete, hidra_error **error) {
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__UploadRequest request = HIDRA__V1__UPLOAD_REQUEST__INIT;
    request.digest = text(digest);
    request.size = size;
    request.offset = *offset;
    request.content = (ProtobufCBinaryData){count, (uint8_t *)(uintptr_t)piece};
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_UPLOAD;
    envelope.upload = &request;
    struct message *reply = NULL;
    hidra_code code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_UPLOAD_REPLY, &reply, error);
    if (code != HIDRA_OK) return code;
    *offset = reply->envelope->upload_reply->received;
    *is_complete = reply->envelope->upload_reply->complete;
    if (reply->was_cancelled && !*is_complete) code = hi_fail(error, HIDRA_CANCELLED, "The upload was cancelled. Call it again to go on.");
    hi_message_free(reply);
    return code;
}

static int report(const hidra_call *call, uint64_t done, uint64_t total) {
    if (call->progress == NULL) return 0;
    const hidra_progress progress = {.job = "", .phase = "uploading", .unit = "bytes", .done = done, .total = total, .note = ""};
    return call->progress(&progress, call->context);
}

static hidra_code send_file(
    hidra_client *client, const hidra_call *call, FILE *file, const char *path, uint8_t *buffer, char digest[static 65], hidra_error **error) {
    uint64_t size = 0, offset = 0;
    bool is_complete = false;
    hidra_code code = digest_of(file, path, buffer, &size, digest, error);
    hidra_call piece = *call;
    piece.progress = NULL;
    double deadline = hi_clock_now() + call->timeout;
    size_t most = client->welcome->message_bytes / 2 < piece_bytes ? (size_t)client->welcome->message_bytes / 2 : piece_bytes, count = 0;
    while (code == HIDRA_OK) {
        if (call->timeout > 0) {
            double left = deadline - hi_clock_now();
            piece.timeout = left > 0.001 ? left : 0.001;
        }
        code = send_piece(client, &piece, digest, size, &offset, buffer, count, &is_complete, error);
        if (code != HIDRA_OK) break;
        if (report(call, is_complete ? size : offset, size) != 0 && !is_complete)
            return hi_fail(error, HIDRA_CANCELLED, "The upload was cancelled. Call it again to go on.");
        if (is_complete) return HIDRA_OK;
        if (fseeko(file, (off_t)offset, SEEK_SET) != 0) return unreadable(path, error);
        count = fread(buffer, 1, most, file);
        if (count == 0) return hi_fail(error, HIDRA_INVALID_DATA, "%s became shorter while it was sent. Send it again.", path);
    }
    return code;
}

hidra_code hidra_upload(hidra_client *client, const hidra_call *call, const char *path, char digest[65], hidra_error **error) {
    static const hidra_call plain = {0};
    if (error != NULL) *error = NULL;
    *digest = 0;
    hidra_code code = hi_check_text(path, "path of the file", true, error);
    if (code != HIDRA_OK) return code;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return unreadable(path, error);
    uint8_t *buffer = malloc(piece_bytes);
    code = buffer == NULL ? hi_fail_memory(error) : send_file(client, call == NULL ? &plain : call, file, path, buffer, digest, error);
    free(buffer);
    fclose(file);
    if (code != HIDRA_OK) *digest = 0;
    return code;
}

hidra_code hidra_open_data(
    hidra_client *client, const hidra_call *call, const char *data, const hidra_table *table, hidra_opened **opened, hidra_error **error) {
    if (opened != NULL) *opened = NULL;
    if (error != NULL) *error = NULL;
    hidra_code code = hi_check_text(data, "name of the data set", true, error);
    if (code == HIDRA_OK && (table->digest == NULL) == (table->path == NULL))
        code = hi_fail(error, HIDRA_INVALID_ARGUMENT, "A table is the digest of an upload, or a path on the daemon's machine.");
    if (code == HIDRA_OK) code = hi_check_text(table->digest != NULL ? table->digest : table->path, "table", true, error);
    if (code == HIDRA_OK) code = hi_check_text(table->format, "format", false, error);
    for (size_t i = 0; code == HIDRA_OK && i < table->column_count; i++) code = hi_check_text(table->columns[i], "column's name", true, error);
    if (code != HIDRA_OK) return code;
    Hidra__V1__Envelope envelope = HIDRA__V1__ENVELOPE__INIT;
    Hidra__V1__OpenDataRequest request = HIDRA__V1__OPEN_DATA_REQUEST__INIT;
    request.data = text(data);
    request.format = text(table->format);
    request.n_columns = table->column_count;
    request.columns = texts(table->columns);
    request.file_case = table->digest != NULL ? HIDRA__V1__OPEN_DATA_REQUEST__FILE_DIGEST : HIDRA__V1__OPEN_DATA_REQUEST__FILE_PATH;
    if (table->digest != NULL) request.digest = text(table->digest);
    else request.path = text(table->path);
    envelope.kind_case = HIDRA__V1__ENVELOPE__KIND_OPEN_DATA;
    envelope.open_data = &request;
    struct message *reply = NULL;
    code = hi_connection_ask(client->connection, WORK, call, &envelope, HIDRA__V1__ENVELOPE__KIND_OPEN_DATA_REPLY, &reply, error);
    if (code != HIDRA_OK || opened == NULL) {
        hi_message_free(reply);
        return code;
    }
    const Hidra__V1__OpenDataReply *received = reply->envelope->open_data_reply;
    const hidra_opened made = {
        .rows = received->rows, .bytes = received->bytes, .column_count = received->n_columns, .columns = names(received->columns)};
    code = hi_result_create(opened, sizeof made, reply, error);
    if (code == HIDRA_OK) **opened = made;
    return code;
}
