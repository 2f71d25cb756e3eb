#include "int8_dispatch.h"

#include <math.h>
#include <string.h>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "include/CKernels.h"

int ck_int8_has_products(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512vnni") != 0;
#elif defined(__aarch64__) && defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
    return 1;
#else
    return 0;
#endif
}

static const ck_int8_table *table(void) {
#if defined(__x86_64__)
    switch (ck_current_level()) {
    case ck_avx512: return ck_int8_has_products() ? &ck_int8_avx512vnni : &ck_int8_avx2;
    case ck_avx2: return &ck_int8_avx2;
    default: break;
    }
#elif defined(__aarch64__)
    if (ck_current_level() == ck_neon && ck_int8_has_products()) return &ck_int8_neon;
#endif
    return &ck_int8_portable;
}

const char *ck_int8_name(void) { return table()->name; }

static size_t steps(size_t k) { return (k + ck_int8_depth - 1) / ck_int8_depth; }

size_t ck_int8_packed_count(size_t k, size_t n) { return steps(k) * ck_int8_depth * ((n + ck_panel - 1) / ck_panel) * ck_panel; }

// Panel p holds [steps, ck_panel, ck_int8_depth]: what one vector multiplies lies together.
void ck_int8_pack(size_t k, size_t n, const float *w, size_t ldw, int8_t *packed, float *scale, int32_t *sum) {
    const size_t panel = steps(k) * ck_panel * ck_int8_depth;
    memset(packed, 0, ck_int8_packed_count(k, n));
    for (size_t c = 0; c < (n + ck_panel - 1) / ck_panel * ck_panel; c++) {
        scale[c] = 0;
        sum[c] = 0;
        if (c >= n) continue;
        const float *row = w + c * ldw;
        float top = 0;
        int finite = 1;
        for (size_t l = 0; l < k; l++) {
            finite &= isfinite(row[l]) != 0;
            top = fmaxf(top, fabsf(row[l]));
        }
        if (!finite) {
            scale[c] = NAN;
            continue;
        }
        scale[c] = top / 127;
        // Subnormal weights have no steps of their own.
        float inverse = top > 1e-30f ? 127 / top : 0;
        int8_t *column = packed + c / ck_panel * panel + c % ck_panel * ck_int8_depth;
        for (size_t l = 0; l < k; l++) {
            int8_t q = (int8_t)rintf(row[l] * inverse);
            column[l / ck_int8_depth * ck_panel * ck_int8_depth + l % ck_int8_depth] = q;
            sum[c] += q;
        }
    }
}

void ck_int8_quantise(size_t rows, size_t k, const float *x, size_t ldx, uint8_t *q, size_t ldq, float *scale, int32_t *zero) {
    table()->quantise(rows, k, x, ldx, q, ldq, scale, zero);
}

void ck_int8_gemm(const ck_int8_product *product) { table()->gemm(product); }

// Row by row: what is quantised has just been written.
void ck_int8_layer_norm(size_t rows, size_t n, const float *x, const float *residual, const float *weight, const float *bias,
                        float eps, float *y, uint8_t *q, size_t ldq, float *scale, int32_t *zero) {
    const ck_int8_table *kernels = table();
    for (size_t r = 0; r < rows; r++, x += n, y += n, q += ldq) {
        ck_layer_norm_f32(1, n, x, residual ? residual + r * n : NULL, weight, bias, eps, y, NULL, NULL);
        kernels->quantise(1, n, y, n, q, ldq, scale + r, zero + r);
    }
}

double ck_int8_multiply_add_loop(size_t iterations) { return table()->multiply_add_loop(iterations); }
