// The table of the eight-bit kernels: one for each set of instructions.
#pragma once

#include "include/int8.h"

typedef struct {
    const char *name;
    void (*gemm)(const ck_int8_product *);
    void (*quantise)(size_t, size_t, const float *, size_t, uint8_t *, size_t, float *, int32_t *);
    double (*multiply_add_loop)(size_t);
} ck_int8_table;

extern const ck_int8_table ck_int8_portable;
#if defined(__x86_64__)
extern const ck_int8_table ck_int8_avx2;
extern const ck_int8_table ck_int8_avx512vnni;
#elif defined(__aarch64__)
extern const ck_int8_table ck_int8_neon;
#endif
