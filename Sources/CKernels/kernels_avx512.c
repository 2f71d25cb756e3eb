#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#define CK_TABLE ck_table_avx512
// 12 rows × 32 columns: 24 of the 32 vector registers accumulate.
#define CK_ROWS 12
#define CK_PANELS 2
#include "kernels.inc"
#pragma clang attribute pop
#endif
