#include "cimages.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
    ci_status status;
    char *message;
} source;

static void on_error(png_structp decoder, png_const_charp text)
{
    source *input = png_get_error_ptr(decoder);
    if (input->status == ci_ok) {
        input->status = ci_corrupt;
        snprintf(input->message, ci_message_size, "%s", text);
    }
    png_longjmp(decoder, 1);
}

static void on_warning(png_structp decoder, png_const_charp text)
{
    (void)decoder;
    (void)text;
}

static void read_bytes(png_structp decoder, png_bytep target, size_t count)
{
    source *input = png_get_io_ptr(decoder);
    if (count > input->count - input->position) {
        input->status = ci_truncated;
        snprintf(input->message, ci_message_size, "the file ends after %zu bytes", input->count);
        png_error(decoder, "end of file");
    }
    memcpy(target, input->bytes + input->position, count);
    input->position += count;
}

static ci_status no_memory(char *message)
{
    snprintf(message, ci_message_size, "no memory for the decoder");
    return ci_no_memory;
}

static png_structp start(source *input, png_infop *info)
{
    png_structp decoder = png_create_read_struct(PNG_LIBPNG_VER_STRING, input, on_error, on_warning);
    if (!decoder) return NULL;
    *info = png_create_info_struct(decoder);
    if (!*info) {
        png_destroy_read_struct(&decoder, NULL, NULL);
        return NULL;
    }
    png_set_read_fn(decoder, input, read_bytes);
    // Texts and profiles are not used; a compressed one may be as large as it likes, it is skipped. The size of the image is
    // limited by the caller, who knows the limits.
    png_set_user_limits(decoder, 0x7fffffff, 0x7fffffff);
    png_set_chunk_cache_max(decoder, 128);
    png_set_chunk_malloc_max(decoder, 4u << 20);
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    static const png_byte ignored[] = {'i', 'C', 'C', 'P', 0, 'i', 'T', 'X', 't', 0, 't', 'E', 'X', 't', 0, 'z', 'T', 'X', 't', 0};
    png_set_keep_unknown_chunks(decoder, PNG_HANDLE_CHUNK_NEVER, ignored, sizeof ignored / 5);
#endif
    return decoder;
}

ci_status ci_png_header(const uint8_t *bytes, size_t count, ci_size *size, char *message)
{
    source input = {bytes, count, 0, ci_ok, message};
    png_infop info = NULL;
    png_structp decoder = start(&input, &info);
    if (!decoder) return no_memory(message);
    if (setjmp(png_jmpbuf(decoder))) {
        png_destroy_read_struct(&decoder, &info, NULL);
        return input.status;
    }
    png_read_info(decoder, info);
    size->width = png_get_image_width(decoder, info);
    size->height = png_get_image_height(decoder, info);
    png_destroy_read_struct(&decoder, &info, NULL);
    return ci_ok;
}

ci_status ci_png_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message)
{
    source input = {bytes, count, 0, ci_ok, message};
    png_infop info = NULL;
    png_structp decoder = start(&input, &info);
    if (!decoder) return no_memory(message);
    if (setjmp(png_jmpbuf(decoder))) {
        png_destroy_read_struct(&decoder, &info, NULL);
        return input.status;
    }
    png_read_info(decoder, info);
    if (png_get_image_width(decoder, info) != size.width || png_get_image_height(decoder, info) != size.height)
        png_error(decoder, "the size changes within the file");
    int colour = png_get_color_type(decoder, info);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(decoder);
    if (!(colour & PNG_COLOR_MASK_COLOR)) {
        if (png_get_bit_depth(decoder, info) < 8) png_set_expand_gray_1_2_4_to_8(decoder);
        png_set_gray_to_rgb(decoder);
    }
    png_set_strip_16(decoder);
    // A palette with transparent entries gets an alpha of its own.
    png_set_strip_alpha(decoder);
    int passes = png_set_interlace_handling(decoder);
    png_read_update_info(decoder, info);
    if (png_get_rowbytes(decoder, info) != (size_t)size.width * 3) png_error(decoder, "rows of an unexpected length");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < size.height; y++) png_read_row(decoder, rgb + (size_t)y * size.width * 3, NULL);
    // The checksum of the pixels and the end of the file are part of the image.
    png_read_end(decoder, NULL);
    png_destroy_read_struct(&decoder, &info, NULL);
    return ci_ok;
}
