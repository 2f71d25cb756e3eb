#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512vnni,avx2,fma"))), apply_to = function)
#define CK_INT8_TABLE ck_int8_avx512vnni
#define CK_INT8_NAME "avx512vnni"
#define CK_MASKED 1
#include "vectors.inc"

typedef __m512i lane_sums;
typedef __m512i weight_panel;
typedef __m512i quad;

INLINE weight_panel load_panel(const int8_t *p) { return _mm512_loadu_si512(p); }
INLINE quad load_quad(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}
INLINE void hide(quad *a) { __asm__ volatile("" : "+v"(*a)); }
INLINE lane_sums multiply_add(lane_sums sum, quad a, weight_panel b) { return _mm512_dpbusd_epi32(sum, a, b); }
INLINE lane_sums no_sums(void) { return _mm512_setzero_si512(); }
INLINE void store_sums(int32_t *p, lane_sums v) { _mm512_storeu_si512(p, v); }

// 12 rows × 32 columns: 24 of the 32 vector registers accumulate.
#define CK_ROWS 12
#define CK_PANELS 2
#define CK_FEW_ROWS 3
#define CK_WIDE_PANELS 4
#define CK_BOTH(T, rows) T(rows, 1) T(rows, 2)
#define CK_ALL(T, rows) CK_BOTH(T, rows) T(rows, 3) T(rows, 4)
#define CK_EACH_TILE(T)                                                                                                 \
    CK_ALL(T, 1) CK_ALL(T, 2) CK_ALL(T, 3) CK_BOTH(T, 4) CK_BOTH(T, 5) CK_BOTH(T, 6) CK_BOTH(T, 7) CK_BOTH(T, 8)       \
    CK_BOTH(T, 9) CK_BOTH(T, 10) CK_BOTH(T, 11) CK_BOTH(T, 12)
#include "int8.inc"
#pragma clang attribute pop
#endif
