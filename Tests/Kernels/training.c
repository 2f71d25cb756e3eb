// The training step of a linear layer.
#include "check.h"

static void step(size_t count, size_t width, size_t outputs) {
    const size_t stride = (count + 15) / 16 * 16;
    float *x = numbers(count * width, 1, 1), *w = numbers(outputs * width, 2, 0.2f), *bias = numbers(outputs, 3, 0.2f);
    float *scores = zeros(outputs * stride), *losses = zeros(stride), *m = numbers(outputs * width, 4, 0.01f), *v = numbers(outputs * width, 5, 0.01f);
    const float **row = malloc(count * sizeof *row);
    int32_t *target = malloc(count * sizeof *target);
    double *expected = doubles(outputs * count), *loss = doubles(count), *weights = doubles(outputs * width);
    if (!row || !target) abort();
    // Rows out of order: they are read where they lie.
    for (size_t r = 0; r < count; r++) row[r] = x + (count - 1 - r) * width, target[r] = (int32_t)(r % outputs);
    ck_rows table = {.count = count, .width = width, .row = row};
    for (size_t o = 0; o < outputs; o++)
        for (size_t r = 0; r < count; r++) {
            double score = bias[o];
            for (size_t k = 0; k < width; k++) score += (double)w[o * width + k] * row[r][k];
            expected[o * count + r] = score;
        }
    ck_row_scores_f32(&table, outputs, w, bias, scores, stride);
    for (size_t o = 0; o < outputs; o++) compare("scores of rows", count, scores + o * stride, expected + o * count, 1e-4, 1e-5);
    ck_cross_entropy entropy = {.classes = outputs, .weight_sum = (float)outputs, .smoothing = 0.1f, .scale = 1.0f / count};
    for (size_t r = 0; r < count; r++) {
        double sum = 0;
        for (size_t o = 0; o < outputs; o++) sum += exp(expected[o * count + r]);
        for (size_t o = 0; o < outputs; o++) {
            double share = 0.1 / outputs + (o == (size_t)target[r] ? 0.9 : 0), score = expected[o * count + r];
            loss[r] -= share * (score - log(sum));
            expected[o * count + r] = (exp(score) / sum - share) / count;
        }
    }
    ck_cross_entropy_columns_f32(&entropy, count, target, scores, stride, losses);
    compare("losses of rows", count, losses, loss, 1e-4, 1e-5);
    for (size_t o = 0; o < outputs; o++) compare("gradients of scores", count, scores + o * stride, expected + o * count, 1e-6, 1e-4);
    ck_adamw f = ck_adamw_factors(1e-2f, 0.9f, 0.999f, 1e-8f, 1e-2f, 2);
    for (size_t o = 0; o < outputs; o++)
        for (size_t k = 0; k < width; k++) {
            size_t i = o * width + k;
            v[i] = fabsf(v[i]) + 1e-3f;
            double g = 0;
            for (size_t r = 0; r < count; r++) g += expected[o * count + r] * row[r][k];
            double first = m[i] + 0.1 * (g - m[i]), second = 0.999 * v[i] + 0.001 * g * g;
            weights[i] = w[i] * (1 - 1e-4) - 1e-2 * (first / (1 - 0.81)) / (sqrt(second / (1 - 0.999 * 0.999)) + 1e-8);
        }
    ck_row_adamw_f32(&table, &f, outputs, scores, stride, w, m, v);
    compare("weights after a step", outputs * width, w, weights, 1e-5, 1e-5);
    free(x), free(w), free(bias), free(scores), free(losses), free(m), free(v), free(row), free(target), free(expected), free(loss), free(weights);
}

void check_training(void) { step(1, 7, 3), step(16, 16, 16), step(33, 50, 77), step(64, 384, 77); }
