#include "cimages.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <webp/decode.h>

static ci_status told(VP8StatusCode code, char *message)
{
    switch (code) {
    case VP8_STATUS_OK: return ci_ok;
    case VP8_STATUS_OUT_OF_MEMORY: snprintf(message, ci_message_size, "no memory for the decoder"); return ci_no_memory;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED: snprintf(message, ci_message_size, "the bitstream ends too early"); return ci_truncated;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        snprintf(message, ci_message_size, "a feature the decoder does not know");
        return ci_unsupported;
    default: snprintf(message, ci_message_size, "the bitstream is invalid"); return ci_corrupt;
    }
}

ci_status ci_webp_header(const uint8_t *bytes, size_t count, ci_size *size, char *message)
{
    WebPBitstreamFeatures features;
    ci_status status = told(WebPGetFeatures(bytes, count, &features), message);
    if (status != ci_ok) return status;
    if (features.has_animation) {
        snprintf(message, ci_message_size, "an animation; only still images are read");
        return ci_unsupported;
    }
    size->width = (uint32_t)features.width;
    size->height = (uint32_t)features.height;
    return ci_ok;
}

ci_status ci_webp_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        snprintf(message, ci_message_size, "libwebp is older than this program");
        return ci_unsupported;
    }
    if (size.width > INT_MAX / 3) return told(VP8_STATUS_INVALID_PARAM, message);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgb;
    config.output.u.RGBA.stride = (int)(size.width * 3);
    config.output.u.RGBA.size = (size_t)size.width * 3 * size.height;
    // The decoder checks the buffer against the size it finds.
    VP8StatusCode code = WebPDecode(bytes, count, &config);
    int same = config.output.width == (int)size.width && config.output.height == (int)size.height;
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OK && !same) {
        snprintf(message, ci_message_size, "the size changes within the file");
        return ci_corrupt;
    }
    return told(code, message);
}
