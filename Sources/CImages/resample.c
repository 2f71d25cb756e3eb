#include "cimages.h"

#include <string.h>

// The same integer sums at each level: results do not depend on the processor.
#if defined(__x86_64__)
#define CI_HAS_AVX2 1
#define CI_AVX2 __attribute__((target("avx2")))
#endif
#define CI_INLINE static inline __attribute__((always_inline))

typedef int32_t lanes4 __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

CI_INLINE uint8_t clipped(int32_t sum)
{
    sum >>= ci_weight_bits;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

// Three channels and one lane that is not used travel together. Reads four bytes for each pixel: the caller sees to it that
// the last pixel has a byte behind it.
CI_INLINE void resample_row(const uint8_t *source, size_t width, size_t taps, const int32_t *first, const int32_t *weights,
                            uint8_t *target)
{
    const int32_t half = 1 << (ci_weight_bits - 1);
    for (size_t x = 0; x < width; x++) {
        const uint8_t *pixel = source + (size_t)first[x] * 3;
        const int32_t *weight = weights + x * taps;
        lanes4 sum = {half, half, half, half};
        for (size_t t = 0; t < taps; t++) {
            bytes4 packed;
            memcpy(&packed, pixel + 3 * t, 4);
            sum += __builtin_convertvector(packed, lanes4) * weight[t];
        }
        for (size_t c = 0; c < 3; c++) target[3 * x + c] = clipped(sum[c]);
    }
}

CI_INLINE void resample_rows(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps,
                             const int32_t *first, const int32_t *weights, uint8_t *target)
{
    for (size_t y = 0; y + 1 < rows; y++)
        resample_row(source + y * source_width * 3, width, taps, first, weights, target + y * width * 3);
    // Nothing lies behind the last pixel of the last row.
    if (rows == 0) return;
    const uint8_t *row = source + (rows - 1) * source_width * 3;
    const int32_t half = 1 << (ci_weight_bits - 1);
    uint8_t *last = target + (rows - 1) * width * 3;
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++) {
            int32_t sum = half;
            for (size_t t = 0; t < taps; t++) sum += row[((size_t)first[x] + t) * 3 + c] * weights[x * taps + t];
            last[3 * x + c] = clipped(sum);
        }
}

enum { block = 64 };

// Blocks of a row stay in registers while the taps go by.
CI_INLINE void resample_columns(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                                const int32_t *weights, uint8_t *target)
{
    const int32_t half = 1 << (ci_weight_bits - 1);
    for (size_t y = 0; y < height; y++) {
        const uint8_t *rows = source + (size_t)first[y] * row_bytes;
        const int32_t *weight = weights + y * taps;
        uint8_t *out = target + y * row_bytes;
        size_t x = 0;
        for (; x + block <= row_bytes; x += block) {
            int32_t sums[block];
            for (size_t i = 0; i < block; i++) sums[i] = half;
            for (size_t t = 0; t < taps; t++) {
                const uint8_t *row = rows + t * row_bytes + x;
                for (size_t i = 0; i < block; i++) sums[i] += row[i] * weight[t];
            }
            for (size_t i = 0; i < block; i++) out[x + i] = clipped(sums[i]);
        }
        for (; x < row_bytes; x++) {
            int32_t sum = half;
            for (size_t t = 0; t < taps; t++) sum += rows[t * row_bytes + x] * weight[t];
            out[x] = clipped(sum);
        }
    }
}

void ci_resample_rows_portable(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps,
                               const int32_t *first, const int32_t *weights, uint8_t *target)
{
    resample_rows(rows, source_width, source, width, taps, first, weights, target);
}

void ci_resample_columns_portable(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                                  const int32_t *weights, uint8_t *target)
{
    resample_columns(row_bytes, source, height, taps, first, weights, target);
}

#ifdef CI_HAS_AVX2
CI_AVX2 static void rows_avx2(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps,
                              const int32_t *first, const int32_t *weights, uint8_t *target)
{
    resample_rows(rows, source_width, source, width, taps, first, weights, target);
}

CI_AVX2 static void columns_avx2(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                                 const int32_t *weights, uint8_t *target)
{
    resample_columns(row_bytes, source, height, taps, first, weights, target);
}
#endif

void ci_resample_rows(size_t rows, size_t source_width, const uint8_t *source, size_t width, size_t taps, const int32_t *first,
                      const int32_t *weights, uint8_t *target)
{
#ifdef CI_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        rows_avx2(rows, source_width, source, width, taps, first, weights, target);
        return;
    }
#endif
    resample_rows(rows, source_width, source, width, taps, first, weights, target);
}

void ci_resample_columns(size_t row_bytes, const uint8_t *source, size_t height, size_t taps, const int32_t *first,
                         const int32_t *weights, uint8_t *target)
{
#ifdef CI_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        columns_avx2(row_bytes, source, height, taps, first, weights, target);
        return;
    }
#endif
    resample_columns(row_bytes, source, height, taps, first, weights, target);
}
