#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_TABLE ck_table_avx2
// 6 rows × 16 columns: 12 of the 16 vector registers accumulate.
#define CK_ROWS 6
#define CK_PANELS 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
