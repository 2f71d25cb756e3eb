#define CK_INT8_TABLE ck_int8_portable
#define CK_INT8_NAME "portable"
#define CK_MASKED 0
#include "int8_lanes_portable.inc"
#define CK_ROWS 2
#define CK_PANELS 1
#define CK_FEW_ROWS 1
#define CK_WIDE_PANELS 1
#define CK_EACH_TILE(T) T(1, 1) T(2, 1)
#include "int8.inc"
