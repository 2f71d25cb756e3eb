// What is done to rows: softmax, norms, attention, sums.
#include "check.h"

static const size_t widths[] = {1, 5, 16, 17, 77, 384};
enum { rows = 3 };

static void softmax(size_t n) {
    float *x = numbers(rows * n, 1, 8), *dy = numbers(rows * n, 2, 1), *y = zeros(rows * n), *dx = zeros(rows * n), logs[rows];
    double *expected = doubles(rows * n), *slopes = doubles(rows * n), log_sums[rows];
    for (size_t r = 0; r < rows; r++) {
        double sum = 0, scaled = 0, dot = 0;
        for (size_t i = 0; i < n; i++) sum += exp((double)x[r * n + i]), scaled += exp(0.5 * x[r * n + i]);
        for (size_t i = 0; i < n; i++) dot += (expected[r * n + i] = exp(0.5 * x[r * n + i]) / scaled) * dy[r * n + i];
        for (size_t i = 0; i < n; i++) slopes[r * n + i] = 0.5 * expected[r * n + i] * (dy[r * n + i] - dot);
        log_sums[r] = log(sum);
    }
    ck_softmax_f32(rows, n, 0.5f, x, n, y, n);
    compare("softmax", rows * n, y, expected, 1e-6, 1e-5);
    ck_softmax_backward_f32(rows, n, 0.5f, y, dy, dx);
    compare("gradient of softmax", rows * n, dx, slopes, 2e-6, 1e-4);
    ck_softmax_log_sum_f32(rows, n, x, n, y, n, logs);
    compare("log of a sum of exponentials", rows, logs, log_sums, 1e-5, 1e-6);
    free(x), free(dy), free(y), free(dx), free(expected), free(slopes);
}

static void norms(size_t n) {
    float *x = numbers(rows * n, 1, 2), *residual = numbers(rows * n, 2, 1), *weight = numbers(n, 3, 1), *bias = numbers(n, 4, 1);
    float *dy = numbers(rows * n, 5, 1), *y = zeros(rows * n), *dx = zeros(rows * n), *dw = zeros(n), *db = zeros(n), mean[rows], rstd[rows];
    double *layer = doubles(rows * n), *rms = doubles(rows * n), *slopes = doubles(rows * n), *dweight = doubles(n), *dbias = doubles(n);
    for (size_t r = 0; r < rows; r++) {
        double average = 0, variance = 0, square = 0, sum = 0, product = 0;
        for (size_t i = 0; i < n; i++) average += ((double)x[r * n + i] + residual[r * n + i]) / n, square += (double)x[r * n + i] * x[r * n + i] / n;
        for (size_t i = 0; i < n; i++) variance += pow((double)x[r * n + i] + residual[r * n + i] - average, 2) / n;
        double inverse = 1 / sqrt(variance + 1e-3);
        for (size_t i = 0; i < n; i++) {
            double unit = ((double)x[r * n + i] + residual[r * n + i] - average) * inverse, g = (double)dy[r * n + i] * weight[i];
            layer[r * n + i] = unit * weight[i] + bias[i];
            rms[r * n + i] = x[r * n + i] / sqrt(square + 1e-3) * weight[i];
            sum += g / n, product += g * unit / n;
            dweight[i] += dy[r * n + i] * unit, dbias[i] += dy[r * n + i];
        }
        for (size_t i = 0; i < n; i++) {
            double unit = ((double)x[r * n + i] + residual[r * n + i] - average) * inverse;
            slopes[r * n + i] = inverse * ((double)dy[r * n + i] * weight[i] - sum - unit * product);
        }
    }
    ck_layer_norm_f32(rows, n, x, residual, weight, bias, 1e-3f, y, mean, rstd);
    compare("layer norm", rows * n, y, layer, 1e-5, 1e-5);
    for (size_t i = 0; i < rows * n; i++) residual[i] += x[i];
    ck_norm_backward_f32(rows, n, residual, dy, weight, mean, rstd, dx, dw, db);
    compare("gradient of layer norm", rows * n, dx, slopes, 5e-4, 1e-4);
    compare("gradient of its weight", n, dw, dweight, 1e-4, 1e-4);
    compare("gradient of its bias", n, db, dbias, 1e-5, 1e-5);
    ck_rms_norm_f32(rows, n, x, weight, 1e-3f, y, rstd);
    compare("RMS norm", rows * n, y, rms, 1e-5, 1e-5);
    free(x), free(residual), free(weight), free(bias), free(dy), free(y), free(dx), free(dw), free(db);
    free(layer), free(rms), free(slopes), free(dweight), free(dbias);
}

static void attention(size_t length, size_t size) {
    float *q = numbers(length * size, 1, 1), *k = numbers(length * size, 2, 1), *v = numbers(length * size, 3, 1);
    float *y = zeros(length * size), *scratch = zeros(ck_attention_scratch(length, size)), scale = 1 / sqrtf((float)size);
    double *expected = doubles(length * size), *weights = doubles(length);
    for (size_t i = 0; i < length; i++) {
        double total = 0;
        for (size_t j = 0; j < length; j++) {
            double score = 0;
            for (size_t c = 0; c < size; c++) score += (double)q[i * size + c] * k[j * size + c];
            total += weights[j] = exp(score * scale);
        }
        for (size_t j = 0; j < length; j++)
            for (size_t c = 0; c < size; c++) expected[i * size + c] += weights[j] / total * v[j * size + c];
    }
    ck_attention_f32(&(ck_attention){.length = length, .size = size, .q = q, .k = k, .v = v, .ld = size, .scale = scale, .y = y, .ldy = size},
                     scratch);
    compare("attention", length * size, y, expected, 1e-5, 1e-5);
    free(q), free(k), free(v), free(y), free(scratch), free(expected), free(weights);
}

static void sums(size_t n) {
    float *x = numbers(rows * n, 1, 1), *y = numbers(rows * n, 2, 1), *z = zeros(rows * n), *out = zeros(n), one[2];
    double *mean = doubles(n), *sum = doubles(n), *products = doubles(n), *z_exact = doubles(rows * n), both[2] = {0, 0};
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) {
            z_exact[r * n + i] = (double)x[r * n + i] * y[r * n + i];
            mean[i] += x[r * n + i] / (double)rows, sum[i] += x[r * n + i], products[i] += z_exact[r * n + i];
            both[0] += x[r * n + i], both[1] += z_exact[r * n + i];
        }
    ck_mean_rows_f32(rows, n, x, n, out), compare("mean of rows", n, out, mean, 1e-6, 1e-6);
    ck_sum_rows_f32(rows, n, x, n, out), compare("sum of rows", n, out, sum, 1e-6, 1e-6);
    ck_multiply_sum_rows_f32(rows, n, x, y, n, z, out);
    compare("products of rows", rows * n, z, z_exact, 1e-7, 1e-6), compare("their sum", n, out, products, 1e-6, 1e-6);
    one[0] = ck_sum_f32(rows * n, x), one[1] = ck_dot_f32(rows * n, x, y);
    compare("sum and dot product", 2, one, both, 1e-4, 1e-5);
    const ptrdiff_t chosen[] = {2, 0, 1};
    ck_gather_rows_f32(rows, chosen, n, x, z);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++) z_exact[r * n + i] = x[(size_t)chosen[r] * n + i];
    compare("rows gathered", rows * n, z, z_exact, 0, 0);
    free(x), free(y), free(z), free(out), free(mean), free(sum), free(products), free(z_exact);
}

void check_rows(void) {
    for (size_t w = 0; w < COUNT(widths); w++) softmax(widths[w]), norms(widths[w]), sums(widths[w]);
    for (size_t length = 1; length < 40; length += 6) attention(length, 32), attention(length, 20);
}
