// Every kernel at every level this processor has, against plain loops. C alone, so that it also runs where only the kernels have been
// compiled for: another processor, emulated. Ends with one line: N passed, N failed.
#include "check.h"

static int passed, failed;

static void *memory(size_t count, size_t size) {
    // Some more: kernels may touch whole vectors where their description says so.
    void *p = calloc(count + 16, size);
    if (!p) abort();
    return p;
}

float *zeros(size_t count) { return memory(count, sizeof(float)); }
double *doubles(size_t count) { return memory(count, sizeof(double)); }

float *numbers(size_t count, uint64_t seed, float scale) {
    float *x = zeros(count);
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = ((float)(state >> 40) / 8388608.0f - 1.0f) * scale;
    }
    return x;
}

void compare(const char *what, size_t count, const float *actual, const double *expected, double absolute, double relative) {
    for (size_t i = 0; i < count; i++) {
        double allowed = absolute + relative * fabs(expected[i]);
        if (fabs((double)actual[i] - expected[i]) <= allowed || (isnan(actual[i]) && isnan(expected[i]))) continue;
        printf("✘ %s, %s: element %zu of %zu is %.9g, expected %.9g within %.2g\n", ck_level_name(ck_current_level()), what, i, count,
               actual[i], expected[i], allowed);
        failed++;
        return;
    }
    passed++;
}

int main(void) {
    for (ck_level level = ck_portable; level <= ck_best_level(); level++) {
        ck_set_level(level);
        int before = passed;
        check_products(), check_rows(), check_elements(), check_training(), check_windows();
        printf("%s, products of bytes by %s: %d checks passed\n", ck_level_name(level), ck_int8_name(), passed - before);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
