#include "cimages.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// The codec's error manager with the place to jump to; `base` must come first, libjpeg knows only that.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    ci_status status;
    char *message;
} failure;

static void fail(j_common_ptr codec, ci_status status)
{
    failure *error = (failure *)codec->err;
    char text[JMSG_LENGTH_MAX];
    error->base.format_message(codec, text);
    snprintf(error->message, ci_message_size, "%s", text);
    error->status = status;
    longjmp(error->escape, 1);
}

static void error_exit(j_common_ptr codec)
{
    switch (codec->err->msg_code) {
    case JERR_OUT_OF_MEMORY: fail(codec, ci_no_memory); break;
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: fail(codec, ci_truncated); break;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED: fail(codec, ci_unsupported); break;
    default: fail(codec, ci_corrupt);
    }
}

// Warnings after which pixels are invented are errors here.
static void emit_message(j_common_ptr codec, int level)
{
    if (level >= 0) return;
    switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF: fail(codec, ci_truncated); break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: fail(codec, ci_corrupt); break;
    default: break;
    }
}

static void no_output(j_common_ptr codec) { (void)codec; }

// A file of some kilobytes can ask for thousands of passes over a large image.
static void bound_scans(j_common_ptr codec)
{
    j_decompress_ptr decoder = (j_decompress_ptr)codec;
    if (decoder->input_scan_number > ci_largest_scans) {
        failure *error = (failure *)codec->err;
        snprintf(error->message, ci_message_size, "more than %d scans", ci_largest_scans);
        error->status = ci_too_large;
        longjmp(error->escape, 1);
    }
}

static void install(struct jpeg_decompress_struct *decoder, failure *error, char *message)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->err = jpeg_std_error(&error->base);
    error->base.error_exit = error_exit;
    error->base.emit_message = emit_message;
    error->base.output_message = no_output;
    error->message = message;
    error->status = ci_corrupt;
}

ci_status ci_jpeg_header(const uint8_t *bytes, size_t count, ci_size *size, char *message)
{
    struct jpeg_decompress_struct decoder;
    failure error;
    install(&decoder, &error, message);
    if (setjmp(error.escape)) {
        jpeg_destroy_decompress(&decoder);
        return error.status;
    }
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, bytes, (unsigned long)count);
    jpeg_read_header(&decoder, TRUE);
    size->width = decoder.image_width;
    size->height = decoder.image_height;
    jpeg_destroy_decompress(&decoder);
    return ci_ok;
}

// a · b / 255, rounded.
static inline unsigned scaled(unsigned a, unsigned b)
{
    unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

// Inverted CMYK → RGB; `cmyk` [width, 4], `rgb` [width, 3].
static void rgb_from_cmyk(size_t width, const uint8_t *cmyk, uint8_t *rgb)
{
    for (size_t x = 0; x < width; x++) {
        unsigned white = cmyk[4 * x + 3];
        for (size_t c = 0; c < 3; c++) rgb[3 * x + c] = (uint8_t)(white - scaled(255u - cmyk[4 * x + c], white));
    }
}

ci_status ci_jpeg_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message)
{
    struct jpeg_decompress_struct decoder;
    struct jpeg_progress_mgr progress = {.progress_monitor = bound_scans};
    failure error;
    // Changed after setjmp and read after the jump.
    uint8_t *volatile row = NULL;
    install(&decoder, &error, message);
    if (setjmp(error.escape)) {
        jpeg_destroy_decompress(&decoder);
        free(row);
        return error.status;
    }
    jpeg_create_decompress(&decoder);
    decoder.progress = &progress;
    jpeg_mem_src(&decoder, bytes, (unsigned long)count);
    jpeg_read_header(&decoder, TRUE);
    if (decoder.image_width != size.width || decoder.image_height != size.height) {
        snprintf(message, ci_message_size, "the size changes within the file");
        jpeg_destroy_decompress(&decoder);
        return ci_corrupt;
    }
    int inks = decoder.num_components == 4;
    decoder.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&decoder);
    if (inks) {
        row = malloc((size_t)size.width * 4);
        if (!row) {
            snprintf(message, ci_message_size, "no memory for a row of %u pixels", size.width);
            jpeg_destroy_decompress(&decoder);
            return ci_no_memory;
        }
    }
    while (decoder.output_scanline < size.height) {
        uint8_t *target = rgb + (size_t)decoder.output_scanline * size.width * 3;
        JSAMPROW scanline = inks ? row : target;
        jpeg_read_scanlines(&decoder, &scanline, 1);
        if (inks) rgb_from_cmyk(size.width, row, target);
    }
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
    free(row);
    return ci_ok;
}
