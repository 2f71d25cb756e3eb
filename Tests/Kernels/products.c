// Products, of floats and of bytes.
#include "check.h"

static const size_t shapes[][3] = {{1, 1, 1},   {1, 16, 7},   {5, 17, 33},  {2, 50, 33},   {7, 40, 600}, {13, 100, 1100},
                                   {3, 5, 0},   {12, 32, 512}, {29, 45, 700}, {3, 384, 384}, {64, 77, 65}};

static void product(size_t m, size_t n, size_t k, int by_columns, int activation, int accumulate) {
    float *a = numbers(m * k, 1, 1), *b = numbers(k * n, 2, 1), *bias = numbers(n, 3, 1), *packed = zeros(ck_packed_count(k, n));
    float *c = numbers(m * n, 4, 1), *slope = zeros(m * n);
    double *expected = doubles(m * n), *slopes = doubles(m * n);
    // b as [n, k], the layout of a linear layer's weight.
    ck_pack(k, n, b, 1, k, packed);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            size_t at = by_columns ? j * m + i : i * n + j;
            double sum = accumulate ? c[at] : bias[j];
            for (size_t l = 0; l < k; l++) sum += (double)a[i * k + l] * b[j * k + l];
            expected[at] = activation ? exact_gelu(sum) : sum;
            slopes[at] = exact_gelu_slope(sum);
        }
    ck_product p = {.m = m, .n = n, .k = k, .a = a, .a_row = k, .a_depth = 1, .packed = packed, .bias = bias,
                    .activation = activation ? ck_gelu_erf : ck_identity, .accumulate = accumulate, .c = c,
                    .c_row = by_columns ? 1 : n, .c_column = by_columns ? m : 1, .slope = activation ? slope : NULL};
    ck_gemm_f32(&p);
    compare("product", m * n, c, expected, 2e-5 * sqrt((double)k + 1), 1e-5);
    if (activation) compare("slope of a product's activation", m * n, slope, slopes, 3e-5 * sqrt((double)k + 1), 1e-5);
    free(a), free(b), free(bias), free(packed), free(c), free(slope), free(expected), free(slopes);
}

static float gelu_of(float x) { return (float)exact_gelu(x); }

// The bits of a naive one: sums in integers, each further step rounded once.
static void product_of_bytes(size_t m, size_t n, size_t k, ck_int8_activation activation) {
#pragma STDC FP_CONTRACT OFF
    const size_t padded = (k + ck_int8_depth - 1) / ck_int8_depth * ck_int8_depth, columns = (n + ck_panel - 1) / ck_panel * ck_panel;
    float *x = numbers(m * k, 1, 3), *w = numbers(n * k, 2, 1), *bias = numbers(n, 3, 1), *c = zeros(m * n);
    float *x_scale = zeros(m), *w_scale = zeros(columns);
    int32_t *zero = calloc(m + 16, sizeof *zero), *sum = calloc(columns + 16, sizeof *sum);
    uint8_t *q = calloc(m * padded + 64, 1);
    int8_t *packed = calloc(ck_int8_packed_count(k, n) + 64, 1);
    double *expected = doubles(m * n);
    ck_int8_pack(k, n, w, k, packed, w_scale, sum);
    ck_int8_quantise(m, k, x, k, q, padded, x_scale, zero);
    for (size_t i = 0; i < m; i++) {
        float low = 0, high = 0;
        for (size_t l = 0; l < k; l++) low = fminf(low, x[i * k + l]), high = fmaxf(high, x[i * k + l]);
        float inverse = 255 / (high - low), shift = -low * inverse + 12582912.0f;
        int32_t origin = (int32_t)(shift - 12582912.0f);
        for (size_t j = 0; j < n; j++) {
            float top = 0;
            for (size_t l = 0; l < k; l++) top = fmaxf(top, fabsf(w[j * k + l]));
            int64_t total = 0;
            for (size_t l = 0; l < k; l++) {
                float step = x[i * k + l] * inverse;
                step = step + shift - 12582912.0f;
                total += ((int64_t)fminf(fmaxf(step, 0), 255) - origin) * (int64_t)rintf(w[j * k + l] * (127 / top));
            }
            float scale = top / 127 * ((high - low) / 255), scaled = (float)total * scale, y = scaled + bias[j];
            expected[i * n + j] = activation == ck_int8_relu ? fmaxf(y, 0) : activation == ck_int8_gelu ? gelu_of(y) : y;
        }
    }
    ck_int8_product p = {.m = m, .n = n, .k = k, .a = q, .a_row = padded, .a_scale = x_scale, .a_zero = zero, .packed = packed,
                         .b_scale = w_scale, .b_sum = sum, .bias = bias, .activation = activation, .c = c, .c_row = n};
    ck_int8_gemm(&p);
    compare("product of bytes", m * n, c, expected, activation == ck_int8_gelu ? 3e-6 : 0, activation == ck_int8_gelu ? 1e-6 : 0);
    free(x), free(w), free(bias), free(c), free(x_scale), free(w_scale), free(zero), free(sum), free(q), free(packed), free(expected);
}

// Rows that have no steps: zeros, a NaN, an infinity. Also a row of one sign, whose zero point lies at its end.
static void special_rows(void) {
    enum { k = 21, padded = 24, rows = 5, n = 5 };
    float x[rows * k], scale[rows], w_scale[16], c[rows * n], *w = numbers(n * k, 2, 1);
    int32_t zero[rows], sum[16];
    uint8_t q[rows * padded];
    int8_t *packed = calloc(ck_int8_packed_count(k, n) + 64, 1);
    double expected[rows * n];
    for (int l = 0; l < k; l++) x[l] = 0, x[k + l] = x[2 * k + l] = 1, x[3 * k + l] = 2, x[4 * k + l] = -2;
    x[k + 5] = NAN, x[2 * k + 20] = INFINITY;
    ck_int8_pack(k, n, w, k, packed, w_scale, sum);
    ck_int8_quantise(rows, k, x, k, q, padded, scale, zero);
    for (int j = 0; j < n; j++) {
        double total = 0;
        for (int l = 0; l < k; l++) total += w[j * k + l];
        expected[j] = 0, expected[n + j] = expected[2 * n + j] = NAN, expected[3 * n + j] = 2 * total, expected[4 * n + j] = -2 * total;
    }
    ck_int8_product p = {.m = rows, .n = n, .k = k, .a = q, .a_row = padded, .a_scale = scale, .a_zero = zero, .packed = packed,
                         .b_scale = w_scale, .b_sum = sum, .c = c, .c_row = n};
    ck_int8_gemm(&p);
    // Each weight is off by at most half a step of 1/127.
    compare("rows without steps", rows * n, c, expected, 2 * k * 0.5 / 127, 0);
    free(w), free(packed);
}

void check_products(void) {
    for (size_t s = 0; s < COUNT(shapes); s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        for (int by_columns = 0; by_columns < 2; by_columns++) {
            product(m, n, k, by_columns, 0, 0);
            product(m, n, k, by_columns, 1, 0);
            product(m, n, k, by_columns, 0, 1);
        }
        if (k == 0) continue;
        for (ck_int8_activation f = ck_int8_identity; f <= ck_int8_relu; f++) product_of_bytes(m, n, k, f);
    }
    special_rows();
}
