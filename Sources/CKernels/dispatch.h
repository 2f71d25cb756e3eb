// The dispatch table: one entry for each kernel, one table for each level.
#pragma once

#include "include/CKernels.h"

typedef struct {
    void (*pack)(size_t, size_t, const float *, size_t, size_t, float *);
    void (*gemm)(const ck_product *);
    double (*multiply_add_loop)(size_t);
    void (*gelu)(size_t, const float *, float *);
    void (*gelu_backward)(size_t, const float *, const float *, float *);
    void (*softmax)(size_t, size_t, float, const float *, size_t, float *, size_t, float *);
    void (*gather_rows)(size_t, const ptrdiff_t *, size_t, const float *, float *);
    void (*attention)(const ck_attention *, float *);
    void (*layer_norm)(size_t, size_t, const float *, const float *, const float *, const float *, float, float *, float *,
                       float *);
    void (*mean_rows)(size_t, size_t, const float *, size_t, float *);
    void (*sum_rows)(size_t, size_t, const float *, size_t, float *);
    void (*multiply_sum_rows)(size_t, size_t, const float *, const float *, size_t, float *, float *);
    float (*sum)(size_t, const float *);
    float (*dot)(size_t, const float *, const float *);
    void (*axpy)(size_t, float, const float *, float *);
    void (*adamw)(const ck_adamw *, size_t, float *, const float *, float *, float *);
    void (*row_scores)(const ck_rows *, size_t, const float *, const float *, float *, size_t);
    void (*cross_entropy_columns)(const ck_cross_entropy *, size_t, const int32_t *, float *, size_t, float *);
    void (*row_adamw)(const ck_rows *, const ck_adamw *, size_t, const float *, size_t, float *, float *, float *);
    void (*dropout)(size_t, uint64_t, uint64_t, float, const float *, float *, float *);
    void (*map)(ck_map, size_t, const float *, float *);
    void (*map_backward)(ck_map, size_t, const float *, const float *, float *);
    void (*zip)(ck_zip, size_t, const float *, ptrdiff_t, const float *, ptrdiff_t, float *);
    void (*softmax_backward)(size_t, size_t, float, const float *, const float *, float *);
    void (*rms_norm)(size_t, size_t, const float *, const float *, float, float *, float *);
    void (*norm_backward)(size_t, size_t, const float *, const float *, const float *, const float *, const float *, float *,
                          float *, float *);
} ck_table;

extern const ck_table ck_table_portable;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2;
extern const ck_table ck_table_avx512;
#elif defined(__aarch64__)
extern const ck_table ck_table_neon;
#endif
