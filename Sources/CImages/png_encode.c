#include "cimages.h"

#include <stdio.h>
#include <string.h>

#include <png.h>

ci_status ci_png_encode(const uint8_t *rgb, ci_size size, uint8_t *file, size_t *count, char *message)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = size.width;
    image.height = size.height;
    image.format = PNG_FORMAT_RGB;
    if (!file) {
        *count = PNG_IMAGE_PNG_SIZE_MAX(image);
        return ci_ok;
    }
    // The simplified interface never jumps: it frees what it holds and returns 0.
    png_alloc_size_t written = *count;
    if (!png_image_write_to_memory(&image, file, &written, 0, rgb, (png_int_32)size.width * 3, NULL)) {
        snprintf(message, ci_message_size, "%s", image.message);
        return ci_no_memory;
    }
    *count = written;
    return ci_ok;
}
