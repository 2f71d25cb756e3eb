#include "convolution_dispatch.h"

#include "include/CKernels.h"

static const ck_convolution_table *table(void) {
    switch (ck_current_level()) {
#if defined(__x86_64__)
    case ck_avx512: return &ck_table_avx512_convolution;
    case ck_avx2: return &ck_table_avx2_convolution;
#elif defined(__aarch64__)
    case ck_neon: return &ck_table_neon_convolution;
#endif
    default: return &ck_table_portable_convolution;
    }
}

size_t ck_unfold_scratch(const ck_window *window, size_t count) { return table()->unfold_scratch(window, count); }

void ck_unfold_f32(const ck_window *window, size_t channels, const float *x, size_t first, size_t count, float *columns,
                   size_t ld, float *scratch) {
    table()->unfold(window, channels, x, first, count, columns, ld, scratch);
}

void ck_unfold_packed_f32(const ck_window *window, size_t channels, const float *x, size_t first, size_t count,
                          float *packed, float *scratch) {
    table()->unfold_packed(window, channels, x, first, count, packed, scratch);
}

void ck_fold_add_f32(const ck_window *window, size_t channels, const float *columns, size_t ld, size_t first, size_t count,
                     float *x, float *scratch) {
    table()->fold_add(window, channels, columns, ld, first, count, x, scratch);
}

void ck_transpose_f32(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy) {
    table()->transpose(rows, columns, x, ldx, y, ldy);
}

void ck_affine_f32(size_t n, float scale, float shift, const float *x, float *y) { table()->affine(n, scale, shift, x, y); }

void ck_combine_f32(size_t n, float a, const float *x, float b, const float *y, float c, float *out) {
    table()->combine(n, a, x, b, y, c, out);
}

float ck_centred_dot_f32(size_t n, const float *x, float centre, const float *y) {
    return table()->centred_dot(n, x, centre, y);
}

void ck_convolve_pixels_f32(const ck_pixel_product *product, size_t first, size_t count, const float *x,
                            const float *packed, const float *bias, const float *residual, ck_rectifier rectifier, float *y,
                            size_t ldy) {
    table()->convolve_pixels(product, first, count, x, packed, bias, residual, rectifier, y, ldy);
}

void ck_depthwise_pixels_f32(const ck_window *window, size_t channels, size_t first_row, size_t last_row, const float *x,
                             const float *weights, const float *bias, ck_rectifier rectifier, float *y) {
    table()->depthwise_pixels(window, channels, first_row, last_row, x, weights, bias, rectifier, y);
}

void ck_pool_pixels_f32(const ck_window *window, size_t channels, size_t first_row, size_t last_row, int average,
                        const float *x, float *y) {
    table()->pool_pixels(window, channels, first_row, last_row, average, x, y);
}
