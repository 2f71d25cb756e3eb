// Convolution kernels. Feature maps are written [channels, depth, height, width] (planes) or [height, width, channels] (pixels).
// As in CKernels.h, every kernel exists at each level and none allocates.
#pragma once

#include <stddef.h>

// How a window moves over up to three spatial axes, outermost first; unused leading axes have extent and kernel 1.
typedef struct {
    size_t input[3], output[3], kernel[3], stride[3], dilation[3];
    // Zeros in front of the first element of each axis. What lies behind the last one follows from `output`.
    ptrdiff_t before[3];
} ck_window;

typedef enum {
    ck_rectify_none = 0,
    ck_relu = 1,
    ck_relu6 = 2,
} ck_rectifier;

// Floats of scratch that the three functions below need for `count` positions.
size_t ck_unfold_scratch(const ck_window *window, size_t count);

// Values under the window for output positions first ..< first + count (row-major over `output`), zeros where it hangs over:
// row (channel, tap) of `columns` [channels · taps, count], rows ld apart. x is [channels, input].
void ck_unfold_f32(const ck_window *window, size_t channels, const float *x, size_t first, size_t count, float *columns,
                   size_t ld, float *scratch);
// The same as a packed right-hand side of ck_gemm_f32: [channels · taps, count] in panels.
void ck_unfold_packed_f32(const ck_window *window, size_t channels, const float *x, size_t first, size_t count,
                          float *packed, float *scratch);
// The transpose of ck_unfold_f32: adds each element of `columns` to the element of x it was taken from.
void ck_fold_add_f32(const ck_window *window, size_t channels, const float *columns, size_t ld, size_t first, size_t count,
                     float *x, float *scratch);

// y [columns, rows] = transpose of x [rows, columns].
void ck_transpose_f32(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy);

// y = x · scale + shift
void ck_affine_f32(size_t n, float scale, float shift, const float *x, float *y);
// out = a · x + b · y + c
void ck_combine_f32(size_t n, float a, const float *x, float b, const float *y, float c, float *out);
// Σ (x − centre) · y; with y = NULL, Σ (x − centre)².
float ck_centred_dot_f32(size_t n, const float *x, float centre, const float *y);

// One image and one group of a packed convolution over pixels. Output pixel (row, column) reads
// x + row · row_step + column · column_step + taps[t] + i for i < run; the weights are packed as [tap_count · run, columns].
typedef struct {
    size_t output_width, row_step, column_step;
    size_t tap_count, run;
    const ptrdiff_t *taps;
    size_t columns;
} ck_pixel_product;

// y = rectifier(product + bias + residual) for output pixels first ..< first + count; y and residual point to pixel `first`, their
// pixels ldy apart. The order of summation is that of the taps: an element's bits do not depend on first or count.
void ck_convolve_pixels_f32(const ck_pixel_product *product, size_t first, size_t count, const float *x,
                            const float *packed, const float *bias /* or NULL */, const float *residual /* or NULL */,
                            ck_rectifier rectifier, float *y, size_t ldy);

// Depthwise convolution of one image [height, width, channels] (axes 1 and 2 of the window) with weights [taps, channels], output
// rows first_row ..< last_row; y points to the whole output image.
void ck_depthwise_pixels_f32(const ck_window *window, size_t channels, size_t first_row, size_t last_row, const float *x,
                             const float *weights, const float *bias /* or NULL */, ck_rectifier rectifier, float *y);

// Largest (average = 0) or mean (1: over the elements inside; 2: over the whole kernel) value under the window, for each channel,
// of one image [height, width, channels]; rows and y as above.
void ck_pool_pixels_f32(const ck_window *window, size_t channels, size_t first_row, size_t last_row, int average,
                        const float *x, float *y);
