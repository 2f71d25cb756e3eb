#define CK_TABLE ck_table_portable
#define CK_ROWS 6
#define CK_PANELS 1
#include "kernels.inc"
