// Convolution: values under a window, and products over pixels.
#include "check.h"

// A square window over [size, size] maps.
static ck_window window(size_t size, size_t kernel, size_t stride, size_t dilation, ptrdiff_t before) {
    size_t output = (size + 2 * (size_t)before - dilation * (kernel - 1) - 1) / stride + 1;
    return (ck_window){.input = {1, size, size}, .output = {1, output, output}, .kernel = {1, kernel, kernel},
                       .stride = {1, stride, stride}, .dilation = {1, dilation, dilation}, .before = {0, before, before}};
}

// Where output (row, column) finds tap (y, x): the position in the map, or −1 outside.
static ptrdiff_t position(const ck_window *w, size_t row, size_t column, size_t y, size_t x) {
    ptrdiff_t r = (ptrdiff_t)(row * w->stride[1] + y * w->dilation[1]) - w->before[1];
    ptrdiff_t c = (ptrdiff_t)(column * w->stride[2] + x * w->dilation[2]) - w->before[2];
    if (r < 0 || c < 0 || r >= (ptrdiff_t)w->input[1] || c >= (ptrdiff_t)w->input[2]) return -1;
    return r * (ptrdiff_t)w->input[2] + c;
}

static void unfold(const ck_window *w, size_t channels) {
    const size_t area = w->input[1] * w->input[2], count = w->output[1] * w->output[2], taps = w->kernel[1] * w->kernel[2];
    float *x = numbers(channels * area, 1, 1), *columns = zeros(channels * taps * count), *scratch = zeros(ck_unfold_scratch(w, count));
    float *back = zeros(channels * area);
    double *expected = doubles(channels * taps * count), *folded = doubles(channels * area);
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < taps; t++)
            for (size_t i = 0; i < count; i++) {
                ptrdiff_t at = position(w, i / w->output[2], i % w->output[2], t / w->kernel[2], t % w->kernel[2]);
                if (at < 0) continue;
                expected[(c * taps + t) * count + i] = x[c * area + (size_t)at];
                folded[c * area + (size_t)at] += x[c * area + (size_t)at];
            }
    ck_unfold_f32(w, channels, x, 0, count, columns, count, scratch);
    compare("values under a window", channels * taps * count, columns, expected, 0, 0);
    ck_fold_add_f32(w, channels, columns, count, 0, count, back, scratch);
    compare("their sums in place", channels * area, back, folded, 1e-5, 1e-6);
    free(x), free(columns), free(scratch), free(back), free(expected), free(folded);
}

static void depthwise_and_pooling(const ck_window *w, size_t channels) {
    const size_t area = w->input[1] * w->input[2], count = w->output[1] * w->output[2], taps = w->kernel[1] * w->kernel[2];
    float *x = numbers(area * channels, 1, 1), *weights = numbers(taps * channels, 2, 1), *bias = numbers(channels, 3, 1), *y = zeros(count * channels);
    double *sums = doubles(count * channels), *largest = doubles(count * channels), *means = doubles(count * channels);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < channels; c++) {
            double sum = bias[c], top = -INFINITY, total = 0;
            size_t inside = 0;
            for (size_t t = 0; t < taps; t++) {
                ptrdiff_t at = position(w, i / w->output[2], i % w->output[2], t / w->kernel[2], t % w->kernel[2]);
                if (at < 0) continue;
                double value = x[(size_t)at * channels + c];
                sum += value * weights[t * channels + c], top = fmax(top, value), total += value, inside++;
            }
            sums[i * channels + c] = fmin(fmax(sum, 0), 6), largest[i * channels + c] = top, means[i * channels + c] = total / (double)inside;
        }
    ck_depthwise_pixels_f32(w, channels, 0, w->output[1], x, weights, bias, ck_relu6, y);
    compare("depthwise convolution", count * channels, y, sums, 1e-5, 1e-5);
    ck_pool_pixels_f32(w, channels, 0, w->output[1], 0, x, y);
    compare("largest under a window", count * channels, y, largest, 0, 0);
    ck_pool_pixels_f32(w, channels, 0, w->output[1], 1, x, y);
    compare("mean under a window", count * channels, y, means, 1e-6, 1e-5);
    free(x), free(weights), free(bias), free(y), free(sums), free(largest), free(means);
}

// A 3 × 3 convolution of an image with its border around it, [size + 2, size + 2, channels] → [size, size, outputs].
static void pixels(size_t size, size_t channels, size_t outputs) {
    const size_t width = size + 2, run = 3 * channels, depth = 3 * run;
    float *x = numbers(width * width * channels, 1, 1), *w = numbers(depth * outputs, 2, 0.3f), *bias = numbers(outputs, 3, 1);
    float *packed = zeros(ck_packed_count(depth, outputs)), *residual = numbers(size * size * outputs, 4, 1), *y = zeros(size * size * outputs);
    double *expected = doubles(size * size * outputs);
    ck_pack(depth, outputs, w, outputs, 1, packed);
    ptrdiff_t taps[3];
    for (size_t t = 0; t < 3; t++) taps[t] = (ptrdiff_t)(t * width * channels);
    for (size_t i = 0; i < size * size; i++)
        for (size_t o = 0; o < outputs; o++) {
            double sum = bias[o] + (double)residual[i * outputs + o];
            for (size_t t = 0; t < 3; t++)
                for (size_t l = 0; l < run; l++)
                    sum += (double)x[(i / size * width + i % size) * channels + t * width * channels + l] * w[(t * run + l) * outputs + o];
            expected[i * outputs + o] = fmax(sum, 0);
        }
    ck_pixel_product p = {.output_width = size, .row_step = width * channels, .column_step = channels, .tap_count = 3, .run = run,
                          .taps = taps, .columns = outputs};
    ck_convolve_pixels_f32(&p, 0, size * size, x, packed, bias, residual, ck_relu, y, outputs);
    compare("convolution over pixels", size * size * outputs, y, expected, 2e-5, 1e-5);
    free(x), free(w), free(bias), free(packed), free(residual), free(y), free(expected);
}

static void transposes(size_t rows, size_t columns) {
    float *x = numbers(rows * columns, 1, 1), *y = zeros(rows * columns);
    double *expected = doubles(rows * columns);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) expected[c * rows + r] = x[r * columns + c];
    ck_transpose_f32(rows, columns, x, columns, y, rows);
    compare("transpose", rows * columns, y, expected, 0, 0);
    free(x), free(y), free(expected);
}

void check_windows(void) {
    const ck_window windows[] = {window(9, 3, 1, 1, 1), window(10, 3, 2, 1, 1), window(11, 5, 2, 1, 2), window(9, 3, 1, 2, 2), window(8, 2, 2, 1, 0)};
    for (size_t w = 0; w < COUNT(windows); w++)
        for (size_t channels = 1; channels < 40; channels += 18) unfold(windows + w, channels), depthwise_and_pooling(windows + w, channels);
    pixels(7, 3, 16), pixels(8, 16, 20), pixels(5, 33, 64);
    transposes(1, 5), transposes(17, 33), transposes(48, 64);
}
