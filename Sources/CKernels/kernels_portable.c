#define CK_TABLE ck_table_portable
#define CK_ROWS 4
#define CK_PANELS 1
#include "kernels.inc"
