// Image codecs and resampling behind calls that return a status. libjpeg and libpng report an error by a long jump; here it ends
// in the C function that started the codec, so that no jump ever crosses a Swift frame.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum {
    ci_ok = 0,
    // The bytes end before the image does.
    ci_truncated = 1,
    // The bytes contradict the format.
    ci_corrupt = 2,
    // A valid file of a kind that is not read.
    ci_unsupported = 3,
    // More work than the limits allow.
    ci_too_large = 4,
    ci_no_memory = 5,
} ci_status;

enum { ci_message_size = 200 };

typedef struct {
    uint32_t width;
    uint32_t height;
} ci_size;

// Each `header` call reads the size without decoding a pixel. Each `decode` call writes rgb [height, width, 3], of the size the
// header gave, and fails with ci_corrupt when the bytes mean another size. `message` holds ci_message_size characters and
// tells what is wrong in the codec's words.

ci_status ci_jpeg_header(const uint8_t *bytes, size_t count, ci_size *size, char *message);
// Four components are taken for inverted CMYK or YCCK, as Adobe writes them, and become RGB by R = (255 − C)(255 − K) / 255.
// A file that loses pixels is an error; bytes between segments, which many cameras leave, are not. At most ci_largest_scans scans.
ci_status ci_jpeg_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message);
enum { ci_largest_scans = 64 };

ci_status ci_png_header(const uint8_t *bytes, size_t count, ci_size *size, char *message);
// Grey becomes RGB, palettes are looked up, 16 bits keep the upper 8, alpha and gamma are dropped.
ci_status ci_png_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message);

// rgb [height, width, 3] → a PNG file of eight bits a channel. With `file` null only the bytes it takes at most are stored in `count`;
// otherwise `count` holds the room at `file`, and then the bytes written. The same pixels give the same bytes.
ci_status ci_png_encode(const uint8_t *rgb, ci_size size, uint8_t *file, size_t *count, char *message);

ci_status ci_webp_header(const uint8_t *bytes, size_t count, ci_size *size, char *message);
ci_status ci_webp_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *rgb, char *message);

// Fractional bits of a resampling weight: 32 bits hold 8 of a pixel, these, a sign and room for overshoot.
enum { ci_weight_bits = 22 };

// One pass of separable resampling over images [height, width, 3]: output position i is
//   clip((2²¹ + Σ_t weights[i · taps + t] · input[first[i] + t]) >> 22)
// over `taps` input positions; weights past the window are zero and first[i] + taps never passes the input.
//
// Rows of `source` [rows, source_width, 3] → rows of `target` [rows, width, 3].
void ci_resample_rows(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps, const int32_t *first,
                      const int32_t *weights, uint8_t *target);
// `source` […, row_bytes] → `target` [height, row_bytes].
void ci_resample_columns(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                         const int32_t *weights, uint8_t *target);
// The same without vector instructions beyond the build's baseline: the reference that tests compare with.
void ci_resample_rows_portable(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps,
                               const int32_t *first, const int32_t *weights, uint8_t *target);
void ci_resample_columns_portable(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                                  const int32_t *weights, uint8_t *target);
