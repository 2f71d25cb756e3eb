/* What the programs share: counting what is not as expected, and rows whose first word decides their label. */
#ifndef EXPECT_H
#define EXPECT_H

#include <hidra.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

/* Frees the error, if any. */
static inline void expect(int condition, const char *what, hidra_error **error) {
    hidra_error *given = error == NULL ? NULL : *error;
    if (!condition) {
        failures++;
        printf("not as expected: %s%s%s\n", what, given == NULL ? "" : ": ", given == NULL ? "" : given->message);
    }
    hidra_free(given);
    if (error != NULL) *error = NULL;
}

enum { row_count = 96, class_count = 2 };
static const char *const classes[class_count] = {"calm", "cross"};

static inline void append_rows(hidra_client *client, const char *data) {
    static const char *const words[] = {"aa", "cc", "aa b", "cc b"};
    static char texts[row_count][32];
    const char *values[row_count], *labels[row_count];
    for (int i = 0; i < row_count; i++) {
        snprintf(texts[i], sizeof texts[i], "%s %c %d", words[i % 4], 'a' + i % 3, i);
        values[i] = texts[i];
        labels[i] = classes[i % 2];
    }
    const hidra_column columns[] = {{.name = "text", .texts = values}, {.name = "label", .texts = labels}};
    hidra_error *error = NULL;
    expect(hidra_append_rows(client, NULL, data, 0, columns, 2, row_count, &error) == HIDRA_OK, "append", &error);
}

/* Softmax cross-entropy: the mean over the rows, and its gradients by the outputs. */
static inline double cross_entropy(const float *outputs, size_t rows, size_t width, const int32_t *truth, float *gradients) {
    double loss = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *scores = outputs + row * width;
        double sum = 0;
        for (size_t k = 0; k < width; k++) sum += exp((double)scores[k]);
        loss -= ((double)scores[truth[row]] - log(sum)) / (double)rows;
        for (size_t k = 0; k < width; k++)
            gradients[row * width + k] = (float)((exp((double)scores[k]) / sum - ((int32_t)k == truth[row])) / (double)rows);
    }
    return loss;
}

static inline hidra_client *connect_to(const char *home, const char *name) {
    hidra_client *client = NULL;
    hidra_error *error = NULL;
    const hidra_options options = {.home = home, .client = name, .timeout = 60};
    expect(hidra_connect(&options, &client, &error) == HIDRA_OK, "connect", &error);
    return client;
}

#endif
