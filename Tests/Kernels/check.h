// Numbers to compute with, and comparison with what plain loops in double precision make of them.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

// Each group of checks runs at the level that is set.
void check_products(void);
void check_rows(void);
void check_elements(void);
void check_training(void);
void check_windows(void);

// `count` floats, uniform in [−scale, scale), the same at every run.
float *numbers(size_t count, uint64_t seed, float scale);
float *zeros(size_t count);
double *doubles(size_t count);

// Counts one check; prints the first element that is further off than absolute + relative · |expected|.
void compare(const char *what, size_t count, const float *actual, const double *expected, double absolute, double relative);

static inline double exact_gelu(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }
static inline double exact_gelu_slope(double x) { return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * M_PI); }
