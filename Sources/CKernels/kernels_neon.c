#if defined(__aarch64__)
#define CK_TABLE ck_table_neon
#define CK_MASKED 0
// 6 rows × 16 columns: 24 of the 32 vector registers, four numbers each, accumulate.
#define CK_ROWS 6
#define CK_PANELS 1
#define CK_FEW_ROWS 3
#define CK_WIDE_PANELS 2
#define CK_EACH_TILE(T) T(1, 1) T(1, 2) T(2, 1) T(2, 2) T(3, 1) T(3, 2) T(4, 1) T(5, 1) T(6, 1)
#define CK_EACH_STEP_TILE(T) T(1, 1) T(2, 1) T(3, 1) T(4, 1) T(5, 1) T(6, 1)
#define CK_DOTS 2
#include "kernels.inc"
#endif
