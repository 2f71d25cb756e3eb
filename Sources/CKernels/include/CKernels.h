// Single-precision kernels with run-time dispatch. All matrices are row-major; shapes are written [rows, columns].
//
// Every kernel exists at each level of `ck_level`; the portable one is the reference that tests compare the others with.
// No kernel allocates. Buffers may be unaligned. Distinct buffers must not overlap unless a comment allows it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "convolution.h"
#include "int8.h"

#ifdef __cplusplus
extern "C" {
#endif

// Each architecture counts its own from the portable one.
typedef enum {
    ck_portable = 0,
    ck_avx2 = 1,
    ck_neon = 1,
    ck_avx512 = 2,
} ck_level;

// Columns of one packed panel.
enum { ck_panel = 16 };

typedef enum {
    ck_identity = 0,
    ck_gelu_erf = 1,
} ck_activation;

// The level in use: the best this processor has, or the one named by HIDRA_KERNELS (portable|avx2|avx512|neon) if it has that.
ck_level ck_current_level(void);
// Chooses a level for the whole process; returns the level in use afterwards (never above what the processor has).
// Not for use while kernels run.
ck_level ck_set_level(ck_level level);
ck_level ck_best_level(void);
const char *ck_level_name(ck_level level);

// Floats needed for a packed [k, n] matrix: k × n rounded up to whole panels.
size_t ck_packed_count(size_t k, size_t n);
// Packs b, element (i, j) at b[i * row_stride + j * column_stride], i < k, j < n, into panels of ck_panel columns:
// panel p holds [k, ck_panel], columns past n are zero. A weight [out, in] is packed with strides (1, in).
void ck_pack(size_t k, size_t n, const float *b, size_t row_stride, size_t column_stride, float *packed);

// c[m, n] = activation(a[m, k] · b[k, n] + bias), or c += a · b when `accumulate` (bias and activation are then ignored).
// The order of summation depends on k alone: an element's bits do not depend on m, n, the other rows or the strides.
typedef struct {
    size_t m, n, k;
    const float *a; // element (i, l) at a[i * a_row + l * a_depth]
    size_t a_row, a_depth;
    const float *packed; // b, packed by ck_pack
    const float *bias;   // NULL, [n], or [m] when `bias_by_row`
    int bias_by_row;
    ck_activation activation;
    int accumulate;
    float *c; // element (i, j) at c[i * c_row + j * c_column]; one of the two strides is 1
    size_t c_row, c_column;
    float *slope; // NULL, or laid out as c: the activation's derivative at each element. Only with an activation.
} ck_product;

void ck_gemm_f32(const ck_product *product);

// The same with rows of a and c that lie lda and ldc apart.
void ck_gemm_packed_f32(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                        const float *bias /* [n] or NULL */, ck_activation activation, int accumulate,
                        float *c, size_t ldc);

// Multiply-adds on registers alone, for a measure of what the processor can do; returns the floating-point operations done.
double ck_multiply_add_loop(size_t iterations);

// y[i] = gelu(x[i]) = x/2 (1 + erf(x/√2)); x and y may be the same.
void ck_gelu_f32(size_t n, const float *x, float *y);
// dx[i] = dy[i] · gelu'(x[i])
void ck_gelu_backward_f32(size_t n, const float *x, const float *dy, float *dx);

// Each row of x [rows, n], times `scale`: y = exp(s − max s) / Σ exp(s − max s); x and y may be the same.
void ck_softmax_f32(size_t rows, size_t n, float scale, const float *x, size_t ldx, float *y, size_t ldy);
// The softmax of each row, and log_sum[rows] = log Σ exp(x) of it.
void ck_softmax_log_sum_f32(size_t rows, size_t n, const float *x, size_t ldx, float *y, size_t ldy, float *log_sum);

// y = softmax(q kᵀ · scale) v of one head within one sequence: q, k, v [length, size] with rows ld apart, y with rows ldy apart.
typedef struct {
    size_t length, size;
    const float *q, *k, *v;
    size_t ld;
    float scale;
    float *y;
    size_t ldy;
} ck_attention;

// Floats of `scratch` that the kernel writes.
size_t ck_attention_scratch(size_t length, size_t size);
void ck_attention_f32(const ck_attention *attention, float *scratch);

// y[r] = x[rows[r]] for rows of n floats.
void ck_gather_rows_f32(size_t count, const ptrdiff_t *rows, size_t n, const float *x, float *y);

// y = (s − mean s) / √(var s + eps) · weight + bias for each row of s = x (+ residual), var divided by n.
// weight, bias, residual may be NULL; y may be x. mean and rstd [rows] are written when not NULL.
void ck_layer_norm_f32(size_t rows, size_t n, const float *x, const float *residual, const float *weight, const float *bias,
                       float eps, float *y, float *mean, float *rstd);

// y[n] = mean of the rows of x [rows, n].
void ck_mean_rows_f32(size_t rows, size_t n, const float *x, size_t ldx, float *y);

// sum[n] = Σ of the rows of x [rows, n], in an order that depends on the number of rows alone.
void ck_sum_rows_f32(size_t rows, size_t n, const float *x, size_t ldx, float *sum);
// z = x · y for matrices [rows, n] whose rows all lie ld apart, and sum[n] = Σ of the rows of z, in their order.
void ck_multiply_sum_rows_f32(size_t rows, size_t n, const float *x, const float *y, size_t ld, float *z, float *sum);

float ck_sum_f32(size_t n, const float *x);
float ck_dot_f32(size_t n, const float *x, const float *y);
// y += alpha · x
void ck_axpy_f32(size_t n, float alpha, const float *x, float *y);

// mask[i] = 0 where number first + i of the SplitMix64 stream of `seed`, as a fraction of 24 bits, is below `rate`, elsewhere
// 1 / (1 − rate); y = x · mask.
void ck_dropout_f32(size_t n, uint64_t seed, uint64_t first, float rate, const float *x, float *y, float *mask);

// The numbers of one AdamW step (Loshchilov & Hutter 2019), in PyTorch's order of operations:
// m += share1 (g − m); v = beta2 v + share2 g²; p = keep p − step m / (inverse √v + eps).
typedef struct {
    float keep;    // 1 − learning rate · weight decay
    float step;    // learning rate / (1 − beta1^t)
    float inverse; // 1 / √(1 − beta2^t)
    float share1;  // 1 − beta1
    float beta2;
    float share2; // 1 − beta2
    float eps;
} ck_adamw;

// Those of step number `step`, counted from 1.
ck_adamw ck_adamw_factors(float learning_rate, float beta1, float beta2, float eps, float weight_decay, uint64_t step);

// One AdamW step, parameters and moments updated in place.
void ck_adamw_f32(const ck_adamw *factors, size_t n, float *parameter, const float *gradient, float *first_moment,
                  float *second_moment);

// MARK: The training step of a linear layer, on rows where they lie.

// Some rows of a table, `width` floats each.
typedef struct {
    size_t count, width;
    const float *const *row; // [count]
} ck_rows;

// scores[o, r] = ⟨weight[o], row[r]⟩ + bias[o], by outputs: weight [outputs, width], scores [outputs, stride]. `stride` is a
// multiple of 16, count ≤ stride; what lies between the two is arbitrary afterwards. A score's bits depend on its weights and row alone.
void ck_row_scores_f32(const ck_rows *x, size_t outputs, const float *weight, const float *bias, float *scores, size_t stride);

// Softmax cross-entropy with classes weighted and smoothed as in PyTorch.
typedef struct {
    size_t classes;
    const float *class_weights; // [classes], or NULL for ones
    float weight_sum;           // of the class weights
    float smoothing;
    float scale; // of the gradient: one over what the sum of the losses is divided by
} ck_cross_entropy;

// For `rows` columns of scores [classes, stride]: the loss of each, and in the scores' place their gradient times `scale`. Whole
// vectors of sixteen columns are overwritten, so that there must be room for them.
void ck_cross_entropy_columns_f32(const ck_cross_entropy *loss, size_t rows, const int32_t *targets, float *scores,
                                  size_t stride, float *losses);

// The AdamW step of a weight [outputs, width] whose gradient is gradient[o, k] = Σ_r slopes[o, r] row[r][k], summed in the order of
// the rows; the gradient itself is never in memory.
void ck_row_adamw_f32(const ck_rows *x, const ck_adamw *factors, size_t outputs, const float *slopes, size_t stride,
                      float *weight, float *first_moment, float *second_moment);

// Functions of one number.
typedef enum {
    ck_map_exp,
    ck_map_log,
    ck_map_sqrt,
    ck_map_tanh,
    ck_map_sigmoid,
    ck_map_silu,
    ck_map_quick_gelu,
    ck_map_gelu_erf,
    ck_map_gelu_tanh,
    ck_map_erf,
    ck_map_softplus,
    ck_map_mish,
    ck_map_relu,
    ck_map_relu6,
    ck_map_hard_swish,
} ck_map;

// Functions of two numbers.
typedef enum { ck_zip_add, ck_zip_subtract, ck_zip_multiply, ck_zip_divide } ck_zip;

// Whether the slope is a function of the result: ck_map_backward_f32 is then given y in place of x.
int ck_map_keeps_output(ck_map f);
// y[i] = f(x[i]); x and y may be the same.
void ck_map_f32(ck_map f, size_t n, const float *x, float *y);
// dx[i] = dy[i] · f'(x[i]); dx may be dy.
void ck_map_backward_f32(ck_map f, size_t n, const float *x, const float *dy, float *dx);
// y[i] = f(a[i · step_a], b[i · step_b]); y may be a or b where its step is 1. A step of 0 repeats one number.
void ck_zip_f32(ck_zip f, size_t n, const float *a, ptrdiff_t step_a, const float *b, ptrdiff_t step_b, float *y);

// For each row of the softmax y [rows, n]: dx = scale · y · (dy − ⟨dy, y⟩); dx may be dy.
void ck_softmax_backward_f32(size_t rows, size_t n, float scale, const float *y, const float *dy, float *dx);

// y = x / √(mean x² + eps) · weight for each row; weight may be NULL. rstd [rows] is written when not NULL.
void ck_rms_norm_f32(size_t rows, size_t n, const float *x, const float *weight, float eps, float *y, float *rstd);
// Gradients of layer norm, or of RMS norm when mean is NULL. weight may be NULL; dx, dweight, dbias are left out when NULL;
// dweight and dbias [n] are added to.
void ck_norm_backward_f32(size_t rows, size_t n, const float *x, const float *dy, const float *weight, const float *mean,
                          const float *rstd, float *dx, float *dweight, float *dbias);


// Tells the processor that this thread waits in a loop.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Memory that belongs to the calling thread and stays in its core's cache from one use to the next. `owner` says who filled it;
// it is 0 when the memory is new. Freed when the thread ends.
typedef struct {
    float *memory;
    size_t capacity;
    uint64_t owner;
} ck_scratch;

// At least `count` floats, aligned to 64 bytes. What they held is lost when they grow. Aborts when there is no memory.
ck_scratch *ck_thread_scratch(size_t count);

// Gives freed memory that the C library keeps back to the system, where it can.
void ck_return_free_memory(void);

#ifdef __cplusplus
}
#endif
