// Products of eight-bit integers, for inference. Weights are symmetric with a scale for each output channel, activations asymmetric
// with a scale and a zero point for each row: x ≈ scale · (q − zero), 0 ≤ q ≤ 255.
//
// Sums are exact integers, and what follows them is the same operations in the same order at every level, never contracted: the
// results of these kernels have the same bits at every level.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Depths that one multiplication of a lane takes together; rows of quantised values are padded to whole ones.
enum { ck_int8_depth = 4 };

// Longest shared dimension whose sums cannot overflow: 255 · 127 · 65536 < 2³¹.
enum { ck_int8_longest = 65536 };

typedef enum {
    ck_int8_identity = 0,
    ck_int8_gelu = 1, // x/2 (1 + erf(x/√2)) within 3 · 10⁻⁶: far below a step of what it is quantised to next
    ck_int8_relu = 2,
} ck_int8_activation;

// The instructions in use: "avx512vnni", "avx2", "neon" or "portable". A processor with AVX-512 but without VNNI takes AVX2; one with
// NEON but without its products of bytes takes the portable ones.
const char *ck_int8_name(void);
// Whether this processor has products of bytes at its best level: AVX-512's VNNI, NEON's `dotprod`.
int ck_int8_has_products(void);

// Bytes of a packed [k, n] matrix.
size_t ck_int8_packed_count(size_t k, size_t n);
// Quantises w [n, k], row c at w + c · ldw, to steps of scale[c] = max |w[c]| / 127, and packs it for the kernel. scale and sum have
// n rounded up to whole panels of 16; sum[c] = Σ q[c], the padding is zero. A row with a NaN or an infinity gets the scale NaN.
void ck_int8_pack(size_t k, size_t n, const float *w, size_t ldw, int8_t *packed, float *scale, int32_t *sum);

// Quantises each row of x [rows, k] to q, rows ldq apart, k rounded up to whole ck_int8_depth written, the padding zero.
// The range of a row is that of its values and zero, cut into 255 steps, so that zero is exact. A row of zeros, or of nothing above
// 10⁻³⁰, gets the scale 0. A row with a NaN, an infinity, or a range that overflows gets the scale NaN: whatever is multiplied by
// it is NaN.
void ck_int8_quantise(size_t rows, size_t k, const float *x, size_t ldx, uint8_t *q, size_t ldq, float *scale, int32_t *zero);

// c[m, n] = activation(a · b + bias); a is [m, k] quantised, b [k, n] packed.
// An element's bits do not depend on m, n or the other rows.
typedef struct {
    size_t m, n, k;
    const uint8_t *a; // rows a_row apart, padded to whole ck_int8_depth
    size_t a_row;
    const float *a_scale;  // [m]
    const int32_t *a_zero; // [m]
    const int8_t *packed;
    const float *b_scale;  // [n], whole panels
    const int32_t *b_sum;  // [n], whole panels
    const float *bias;     // NULL or [n]
    ck_int8_activation activation;
    float *c; // rows c_row apart
    size_t c_row;
} ck_int8_product;

void ck_int8_gemm(const ck_int8_product *product);

// y = layer_norm(x + residual) as ck_layer_norm_f32 with weight and bias, and y quantised as by ck_int8_quantise.
void ck_int8_layer_norm(size_t rows, size_t n, const float *x, const float *residual, const float *weight, const float *bias,
                        float eps, float *y, uint8_t *q, size_t ldq, float *scale, int32_t *zero);

// Multiply-adds of eight-bit integers on registers alone; returns the operations done.
double ck_int8_multiply_add_loop(size_t iterations);

#ifdef __cplusplus
}
#endif
