#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#define CK_TABLE ck_table_avx512
#define CK_MASKED 1
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
#define CK_EACH_STEP_TILE(T)                                                                                            \
    CK_BOTH(T, 1) CK_BOTH(T, 2) CK_BOTH(T, 3) CK_BOTH(T, 4) CK_BOTH(T, 5) CK_BOTH(T, 6) CK_BOTH(T, 7) CK_BOTH(T, 8)    \
    CK_BOTH(T, 9) CK_BOTH(T, 10) CK_BOTH(T, 11) CK_BOTH(T, 12)
#define CK_DOTS 4
#include "kernels.inc"
#pragma clang attribute pop
#endif
