// What is done to each number: functions, dropout, optimiser steps.
#include "check.h"

static double function(ck_map f, double x) {
    switch (f) {
    case ck_map_exp: return exp(x);
    case ck_map_log: return log(x);
    case ck_map_sqrt: return sqrt(x);
    case ck_map_tanh: return tanh(x);
    case ck_map_sigmoid: return 1 / (1 + exp(-x));
    case ck_map_silu: return x / (1 + exp(-x));
    case ck_map_quick_gelu: return x / (1 + exp(-1.702 * x));
    case ck_map_gelu_erf: return exact_gelu(x);
    case ck_map_gelu_tanh: return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case ck_map_erf: return erf(x);
    case ck_map_softplus: return log1p(exp(x));
    case ck_map_mish: return x * tanh(log1p(exp(x)));
    case ck_map_relu: return fmax(x, 0);
    case ck_map_relu6: return fmin(fmax(x, 0), 6);
    case ck_map_hard_swish: return x * fmin(fmax(x + 3, 0), 6) / 6;
    }
    abort();
}

static void maps(size_t n) {
    for (ck_map f = ck_map_exp; f <= ck_map_hard_swish; f++) {
        float *x = numbers(n, 7 + f, 4), *dy = numbers(n, 2, 1), *y = zeros(n), *dx = zeros(n);
        double *expected = doubles(n), *slopes = doubles(n);
        for (size_t i = 0; i < n; i++) {
            if (f == ck_map_log || f == ck_map_sqrt) x[i] = fabsf(x[i]) + 0.1f;
            expected[i] = function(f, x[i]);
            slopes[i] = dy[i] * (function(f, x[i] + 1e-5) - function(f, x[i] - 1e-5)) / 2e-5;
        }
        ck_map_f32(f, n, x, y);
        compare("function of one number", n, y, expected, 2e-6, 1e-5);
        ck_map_backward_f32(f, n, ck_map_keeps_output(f) ? y : x, dy, dx);
        compare("slope of a function", n, dx, slopes, 2e-5, 1e-4);
        free(x), free(dy), free(y), free(dx), free(expected), free(slopes);
    }
    float *x = numbers(n, 1, 3), *dy = numbers(n, 2, 1), *y = zeros(n);
    double *expected = doubles(n);
    for (size_t i = 0; i < n; i++) expected[i] = dy[i] * exact_gelu_slope(x[i]);
    ck_gelu_backward_f32(n, x, dy, y);
    compare("slope of GELU", n, y, expected, 2e-6, 1e-5);
    for (ck_zip f = ck_zip_add; f <= ck_zip_divide; f++) {
        for (size_t i = 0; i < n; i++) {
            double a = x[i], b = dy[0];
            expected[i] = f == ck_zip_add ? a + b : f == ck_zip_subtract ? a - b : f == ck_zip_multiply ? a * b : a / b;
        }
        ck_zip_f32(f, n, x, 1, dy, 0, y);
        compare("function of two numbers", n, y, expected, 1e-7, 1e-6);
    }
    for (size_t i = 0; i < n; i++) expected[i] = 0.5 * x[i] + dy[i], y[i] = dy[i];
    ck_axpy_f32(n, 0.5f, x, y);
    compare("y + a x", n, y, expected, 1e-6, 1e-6);
    free(x), free(dy), free(y), free(expected);
}

static uint64_t split_mix(uint64_t seed, uint64_t number) {
    uint64_t z = seed + (number + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void dropout(size_t n) {
    float *x = numbers(n, 1, 1), *y = zeros(n), *mask = zeros(n);
    double *masks = doubles(n), *expected = doubles(n);
    for (size_t i = 0; i < n; i++) {
        float fraction = (float)(split_mix(99, 1000 + i) >> 40) / 16777216.0f;
        masks[i] = fraction < 0.3f ? 0 : 1 / (1 - 0.3f);
        expected[i] = x[i] * masks[i];
    }
    ck_dropout_f32(n, 99, 1000, 0.3f, x, y, mask);
    compare("dropout's mask", n, mask, masks, 0, 1e-6);
    compare("dropout", n, y, expected, 1e-7, 1e-6);
    free(x), free(y), free(mask), free(masks), free(expected);
}

static void adamw(size_t n) {
    float *p = numbers(n, 1, 1), *g = numbers(n, 2, 1), *m = numbers(n, 3, 0.1f), *v = numbers(n, 4, 0.1f);
    double *expected = doubles(n);
    ck_adamw f = ck_adamw_factors(1e-2f, 0.9f, 0.999f, 1e-8f, 1e-2f, 3);
    for (size_t i = 0; i < n; i++) {
        v[i] = fabsf(v[i]) + 1e-3f;
        double first = m[i] + 0.1 * (g[i] - (double)m[i]), second = 0.999 * v[i] + 0.001 * (double)g[i] * g[i];
        expected[i] = p[i] * (1 - 1e-4) - 1e-2 * (first / (1 - pow(0.9, 3))) / (sqrt(second / (1 - pow(0.999, 3))) + 1e-8);
    }
    ck_adamw_f32(&f, n, p, g, m, v);
    compare("AdamW", n, p, expected, 1e-5, 1e-5);
    free(p), free(g), free(m), free(v), free(expected);
}

void check_elements(void) {
    static const size_t counts[] = {1, 15, 16, 33, 200};
    for (size_t c = 0; c < COUNT(counts); c++) maps(counts[c]), dropout(counts[c]), adamw(counts[c]);
}
