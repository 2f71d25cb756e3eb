#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_INT8_TABLE ck_int8_avx2
#define CK_INT8_NAME "avx2"
#define CK_MASKED 0
#include "int8_lanes_avx2.inc"
// 4 rows × 16 columns: 8 of the 16 vector registers accumulate, 4 hold the weights as sixteen-bit numbers.
#define CK_ROWS 4
#define CK_PANELS 1
#define CK_FEW_ROWS 1
#define CK_WIDE_PANELS 1
#define CK_EACH_TILE(T) T(1, 1) T(2, 1) T(3, 1) T(4, 1)
#include "int8.inc"
#pragma clang attribute pop
#endif
