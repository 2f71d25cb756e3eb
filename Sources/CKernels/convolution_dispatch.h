// The convolution kernels' table: one entry for each kernel, one table for each level.
#pragma once

#include "include/convolution.h"

typedef struct {
    size_t (*unfold_scratch)(const ck_window *, size_t);
    void (*unfold)(const ck_window *, size_t, const float *, size_t, size_t, float *, size_t, float *);
    void (*unfold_packed)(const ck_window *, size_t, const float *, size_t, size_t, float *, float *);
    void (*fold_add)(const ck_window *, size_t, const float *, size_t, size_t, size_t, float *, float *);
    void (*transpose)(size_t, size_t, const float *, size_t, float *, size_t);
    void (*affine)(size_t, float, float, const float *, float *);
    void (*combine)(size_t, float, const float *, float, const float *, float, float *);
    float (*centred_dot)(size_t, const float *, float, const float *);
    void (*convolve_pixels)(const ck_pixel_product *, size_t, size_t, const float *, const float *, const float *,
                            const float *, ck_rectifier, float *, size_t);
    void (*depthwise_pixels)(const ck_window *, size_t, size_t, size_t, const float *, const float *, const float *,
                             ck_rectifier, float *);
    void (*pool_pixels)(const ck_window *, size_t, size_t, size_t, int, const float *, float *);
} ck_convolution_table;

extern const ck_convolution_table ck_table_portable_convolution;
#if defined(__x86_64__)
extern const ck_convolution_table ck_table_avx2_convolution;
extern const ck_convolution_table ck_table_avx512_convolution;
#elif defined(__aarch64__)
extern const ck_convolution_table ck_table_neon_convolution;
#endif
