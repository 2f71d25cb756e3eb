/* Columns and what heads read of them, as requests and records of heads have them. */
#include <string.h>

#include "calls.h"

static hidra_code refuse(hidra_error **error, const hidra_column *column, size_t row, const char *what) {
    hi_fail(error, HIDRA_INVALID_ARGUMENT, "Row %zu of column %s %s.", row + 1, column->name, what);
    hi_fail_detail(error, "row", "%zu", row + 1);
    hi_fail_detail(error, "column", "%s", column->name);
    return HIDRA_INVALID_ARGUMENT;
}

hidra_code hi_check_columns(const hidra_column *columns, size_t column_count, size_t rows, hidra_error **error) {
    for (size_t i = 0; i < column_count; i++) {
        const hidra_column *column = &columns[i];
        hidra_code code = hi_check_text(column->name, "name of a column", true, error);
        if (code != HIDRA_OK) return code;
        if ((column->texts == NULL) == (column->blobs == NULL))
            return hi_fail(error, HIDRA_INVALID_ARGUMENT, "Column %s needs either texts or blobs.", column->name);
        for (size_t row = 0; column->texts != NULL && row < rows; row++) {
            if (column->texts[row] == NULL) return refuse(error, column, row, "is NULL");
            if (!hi_is_utf8(column->texts[row], strlen(column->texts[row]))) return refuse(error, column, row, "is no UTF-8");
        }
    }
    return HIDRA_OK;
}

Hidra__V1__Column **hi_columns_set(
    struct arena *arena, const hidra_column *columns, size_t column_count, size_t first, size_t count) {
    Hidra__V1__Column *parts = hi_arena_array(arena, column_count, sizeof *parts);
    Hidra__V1__Column **list = hi_arena_array(arena, column_count, sizeof *list);
    for (size_t i = 0; list != NULL && i < column_count; i++) {
        Hidra__V1__Column *part = list[i] = &parts[i];
        hidra__v1__column__init(part);
        part->name = text(columns[i].name);
        if (columns[i].texts != NULL) {
            part->n_values = count;
            part->values = texts(columns[i].texts + first);
            continue;
        }
        part->blobs = hi_arena_array(arena, count, sizeof *part->blobs);
        part->n_blobs = part->blobs == NULL ? 0 : count;
        for (size_t k = 0; k < part->n_blobs; k++) {
            const hidra_bytes *blob = &columns[i].blobs[first + k];
            part->blobs[k] = (ProtobufCBinaryData){blob->size, (uint8_t *)(uintptr_t)blob->data};
        }
    }
    return list;
}

hidra_code hi_check_inputs(const hidra_head_input *inputs, size_t count, hidra_error **error) {
    hidra_code code = HIDRA_OK;
    for (size_t i = 0; code == HIDRA_OK && i < count; i++) {
        code = hi_check_text(inputs[i].name, "name of an input", false, error);
        if (code == HIDRA_OK) code = hi_check_text(inputs[i].encoder, "encoder of an input", false, error);
        if (code == HIDRA_OK) code = hi_check_text(inputs[i].tap, "tap of an input", false, error);
        if (code == HIDRA_OK) code = hi_check_text(inputs[i].column, "column of an input", false, error);
    }
    return code;
}

Hidra__V1__HeadInput **hi_inputs_set(struct arena *arena, const hidra_head_input *inputs, size_t count) {
    Hidra__V1__HeadInput *parts = hi_arena_array(arena, count, sizeof *parts);
    Hidra__V1__HeadInput **list = hi_arena_array(arena, count, sizeof *list);
    for (size_t i = 0; list != NULL && i < count; i++) {
        Hidra__V1__HeadInput *part = list[i] = &parts[i];
        hidra__v1__head_input__init(part);
        part->name = text(inputs[i].name);
        part->encoder = text(inputs[i].encoder);
        part->tap = text(inputs[i].tap);
        part->column = text(inputs[i].column);
        part->form = (Hidra__V1__FeatureForm)inputs[i].form;
    }
    return list;
}

hidra_head_input *hi_inputs_of(struct arena *arena, Hidra__V1__HeadInput **received, size_t count) {
    hidra_head_input *inputs = hi_arena_array(arena, count, sizeof *inputs);
    for (size_t i = 0; inputs != NULL && i < count; i++)
        inputs[i] = (hidra_head_input){
            received[i]->name, received[i]->encoder, received[i]->tap, received[i]->column, (hidra_form)received[i]->form,
        };
    return inputs;
}

void hi_kind_set(Hidra__V1__HeadKind *kind, const char *name, uint32_t hidden, hidra_optional dropout, hidra_bytes graph) {
    kind->name = text(name);
    kind->hidden = hidden;
    kind->graph = (ProtobufCBinaryData){graph.size, (uint8_t *)(uintptr_t)graph.data};
    SET_OPTIONAL(kind, HEAD_KIND, DROPOUT, dropout, dropout)
}
