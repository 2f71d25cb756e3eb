#include "dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ck_table *table_of(ck_level level) {
    switch (level) {
#if defined(__x86_64__)
    case ck_avx512: return &ck_table_avx512;
    case ck_avx2: return &ck_table_avx2;
#elif defined(__aarch64__)
    case ck_neon: return &ck_table_neon;
#endif
    default: return &ck_table_portable;
    }
}

ck_level ck_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        return ck_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return ck_avx2;
#elif defined(__aarch64__)
    return ck_neon; // part of the architecture
#endif
    return ck_portable;
}

const char *ck_level_name(ck_level level) {
    switch (level) {
    case ck_portable: return "portable";
    case ck_avx512: return "avx512";
#if defined(__aarch64__)
    default: return "neon";
#else
    default: return "avx2";
#endif
    }
}

static ck_level level_from_environment(void) {
    ck_level best = ck_best_level();
    const char *wish = getenv("HIDRA_KERNELS");
    if (!wish) return best;
    for (ck_level level = ck_portable; level <= best; level++)
        if (strcmp(wish, ck_level_name(level)) == 0) return level;
    return best;
}

static ck_level current = ck_portable;
static const ck_table *table = &ck_table_portable;

// Before main, and so before any thread: no kernel call has to check.
__attribute__((constructor)) static void choose(void) {
    current = level_from_environment();
    table = table_of(current);
}

ck_level ck_current_level(void) { return current; }

ck_level ck_set_level(ck_level level) {
    ck_level best = ck_best_level();
    current = level > best ? best : level;
    table = table_of(current);
    return current;
}

size_t ck_packed_count(size_t k, size_t n) { return k * ((n + ck_panel - 1) / ck_panel) * ck_panel; }

void ck_pack(size_t k, size_t n, const float *b, size_t row_stride, size_t column_stride, float *packed) {
    table->pack(k, n, b, row_stride, column_stride, packed);
}

void ck_gemm_f32(const ck_product *product) { table->gemm(product); }

void ck_gemm_packed_f32(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed, const float *bias,
                        ck_activation activation, int accumulate, float *c, size_t ldc) {
    ck_product product = {
        .m = m, .n = n, .k = k, .a = a, .a_row = lda, .a_depth = 1, .packed = packed, .bias = bias,
        .activation = activation, .accumulate = accumulate, .c = c, .c_row = ldc, .c_column = 1,
    };
    table->gemm(&product);
}

double ck_multiply_add_loop(size_t iterations) { return table->multiply_add_loop(iterations); }

void ck_gelu_f32(size_t n, const float *x, float *y) { table->gelu(n, x, y); }

void ck_gelu_backward_f32(size_t n, const float *x, const float *dy, float *dx) { table->gelu_backward(n, x, dy, dx); }

void ck_softmax_f32(size_t rows, size_t n, float scale, const float *x, size_t ldx, float *y, size_t ldy) {
    table->softmax(rows, n, scale, x, ldx, y, ldy, NULL);
}

void ck_softmax_log_sum_f32(size_t rows, size_t n, const float *x, size_t ldx, float *y, size_t ldy, float *log_sum) {
    table->softmax(rows, n, 1, x, ldx, y, ldy, log_sum);
}

void ck_gather_rows_f32(size_t count, const ptrdiff_t *rows, size_t n, const float *x, float *y) {
    table->gather_rows(count, rows, n, x, y);
}

size_t ck_attention_scratch(size_t length, size_t size) {
    size_t lanes = (length + ck_panel - 1) / ck_panel * ck_panel;
    return ck_packed_count(length > size ? length : size, lanes > size ? lanes : size) + length * lanes;
}

void ck_attention_f32(const ck_attention *attention, float *scratch) { table->attention(attention, scratch); }

void ck_layer_norm_f32(size_t rows, size_t n, const float *x, const float *residual, const float *weight, const float *bias,
                       float eps, float *y, float *mean, float *rstd) {
    table->layer_norm(rows, n, x, residual, weight, bias, eps, y, mean, rstd);
}

void ck_mean_rows_f32(size_t rows, size_t n, const float *x, size_t ldx, float *y) { table->mean_rows(rows, n, x, ldx, y); }

void ck_sum_rows_f32(size_t rows, size_t n, const float *x, size_t ldx, float *total) { table->sum_rows(rows, n, x, ldx, total); }

void ck_multiply_sum_rows_f32(size_t rows, size_t n, const float *x, const float *y, size_t ld, float *z, float *total) {
    table->multiply_sum_rows(rows, n, x, y, ld, z, total);
}

float ck_sum_f32(size_t n, const float *x) { return table->sum(n, x); }

float ck_dot_f32(size_t n, const float *x, const float *y) { return table->dot(n, x, y); }

void ck_axpy_f32(size_t n, float alpha, const float *x, float *y) { table->axpy(n, alpha, x, y); }

void ck_dropout_f32(size_t n, uint64_t seed, uint64_t first, float rate, const float *x, float *y, float *mask) {
    table->dropout(n, seed, first, rate, x, y, mask);
}

ck_adamw ck_adamw_factors(float learning_rate, float beta1, float beta2, float eps, float weight_decay, uint64_t step) {
    const float correction1 = 1 - powf(beta1, (float)step), correction2 = 1 - powf(beta2, (float)step);
    return (ck_adamw){
        .keep = 1 - learning_rate * weight_decay, .step = learning_rate / correction1, .inverse = 1 / sqrtf(correction2),
        .share1 = 1 - beta1, .beta2 = beta2, .share2 = 1 - beta2, .eps = eps,
    };
}

void ck_adamw_f32(const ck_adamw *factors, size_t n, float *parameter, const float *gradient, float *first_moment,
                  float *second_moment) {
    table->adamw(factors, n, parameter, gradient, first_moment, second_moment);
}

void ck_row_scores_f32(const ck_rows *x, size_t outputs, const float *weight, const float *bias, float *scores,
                       size_t stride) {
    table->row_scores(x, outputs, weight, bias, scores, stride);
}

void ck_cross_entropy_columns_f32(const ck_cross_entropy *loss, size_t rows, const int32_t *targets, float *scores,
                                  size_t stride, float *losses) {
    table->cross_entropy_columns(loss, rows, targets, scores, stride, losses);
}

void ck_row_adamw_f32(const ck_rows *x, const ck_adamw *factors, size_t outputs, const float *slopes, size_t stride,
                      float *weight, float *first_moment, float *second_moment) {
    table->row_adamw(x, factors, outputs, slopes, stride, weight, first_moment, second_moment);
}

int ck_map_keeps_output(ck_map f) {
    switch (f) {
    case ck_map_exp:
    case ck_map_sqrt:
    case ck_map_tanh:
    case ck_map_sigmoid:
    case ck_map_relu:
    case ck_map_relu6: return 1;
    default: return 0;
    }
}

void ck_map_f32(ck_map f, size_t n, const float *x, float *y) { table->map(f, n, x, y); }

void ck_map_backward_f32(ck_map f, size_t n, const float *x, const float *dy, float *dx) {
    table->map_backward(f, n, x, dy, dx);
}

void ck_zip_f32(ck_zip f, size_t n, const float *a, ptrdiff_t step_a, const float *b, ptrdiff_t step_b, float *y) {
    table->zip(f, n, a, step_a, b, step_b, y);
}

void ck_softmax_backward_f32(size_t rows, size_t n, float scale, const float *y, const float *dy, float *dx) {
    table->softmax_backward(rows, n, scale, y, dy, dx);
}

void ck_rms_norm_f32(size_t rows, size_t n, const float *x, const float *weight, float eps, float *y, float *rstd) {
    table->rms_norm(rows, n, x, weight, eps, y, rstd);
}

void ck_norm_backward_f32(size_t rows, size_t n, const float *x, const float *dy, const float *weight, const float *mean,
                          const float *rstd, float *dx, float *dweight, float *dbias) {
    table->norm_backward(rows, n, x, dy, weight, mean, rstd, dx, dweight, dbias);
}
