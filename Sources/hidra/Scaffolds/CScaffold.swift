/// A plugin in C, on CHidraPlugin.
enum CScaffold {
    static let files: [(String, String)] = [
        ("plugin.yaml", manifest), ("Makefile", makefile), ("src/main.c", main), ("src/examples.h", header), ("src/examples.c", examples),
        ("test/examples_test.c", test), ("README.md", readme),
    ]

    private static let manifest = """
        name: {{name}}
        version: 0.1.0
        description: Sorts messages to a shop.
        command: [bin/{{name}}]
        protocol: {min: 1, max: 1}
        tasks: [classify]
        role: train
        limits: {memory: 512 MB, open_files: 64, processes: 4}
        encoders: [minilm]
        heads: [{{name}}]

        """

    private static let makefile = """
        # Needs libzmq3-dev and libprotobuf-c-dev, and a checkout of hidra.
        SDK ?= {{sdk}}
        CFLAGS ?= -O2 -g
        override CFLAGS += -std=c11 -D_GNU_SOURCE -Wall -Wextra -I$(SDK)/Sources/CHidraPlugin/include

        bin/{{name}}: src/main.c src/examples.c src/examples.h .build/libhidra.a
        \t@mkdir -p bin
        \t$(CC) $(CFLAGS) src/main.c src/examples.c .build/libhidra.a -lzmq -lprotobuf-c -lpthread -lm -o $@

        .build/libhidra.a:
        \t$(MAKE) -C $(SDK)/Sources/CHidraPlugin BUILD=$(CURDIR)/.build $(CURDIR)/.build/libhidra.a

        .PHONY: check
        check: .build/examples_test
        \t.build/examples_test

        .build/examples_test: test/examples_test.c src/examples.c src/examples.h
        \t@mkdir -p .build
        \t$(CC) $(CFLAGS) -Isrc test/examples_test.c src/examples.c -o $@

        .PHONY: clean
        clean:
        \trm -rf bin .build

        """

    private static let header = """
        #ifndef EXAMPLES_H
        #define EXAMPLES_H

        #include <stddef.h>

        /* The rows to learn from: a text and its label. All strings lie in `content`. */
        struct examples {
            size_t count;
            const char **texts, **labels;
            char *content;
        };

        /* Reads a file of `text TAB label` lines, the first being the columns' names. 0, or -1 after saying why on standard error. */
        int examples_read(const char *path, struct examples *examples);
        void examples_free(struct examples *examples);

        #endif

        """

    private static let examples = #"""
        #include "examples.h"

        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>

        static char *content_of(const char *path) {
            FILE *file = fopen(path, "rb");
            if (file == NULL) return NULL;
            char *content = NULL;
            size_t size = 0;
            ssize_t count = getdelim(&content, &size, 0, file);
            fclose(file);
            if (count >= 0) return content;
            free(content);
            errno = ENODATA;
            return NULL;
        }

        int examples_read(const char *path, struct examples *examples) {
            *examples = (struct examples){.content = content_of(path)};
            if (examples->content == NULL) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -1;
            }
            size_t most = 1;
            for (const char *at = examples->content; *at != 0; at++) most += *at == '\n';
            examples->texts = calloc(most, sizeof *examples->texts);
            examples->labels = calloc(most, sizeof *examples->labels);
            if (examples->texts == NULL || examples->labels == NULL) return -1;
            char *rest = examples->content, *line;
            for (size_t number = 0; (line = strsep(&rest, "\n")) != NULL; number++) {
                if (number == 0 || *line == 0) continue;
                char *label = strchr(line, '\t');
                if (label == NULL) {
                    fprintf(stderr, "%s, line %zu: there is no tab\n", path, number + 1);
                    return -1;
                }
                *label++ = 0;
                examples->texts[examples->count] = line;
                examples->labels[examples->count++] = label;
            }
            return 0;
        }

        void examples_free(struct examples *examples) {
            free(examples->texts);
            free(examples->labels);
            free(examples->content);
        }

        """#

    private static let main = #"""
        /* {{name}}: a Hidra plugin. It trains a head on its rows if the head is not there, or with --train, and stays until told goodbye. */
        #include <hidra.h>

        #include <stdio.h>
        #include <string.h>

        #include "examples.h"

        static const char *const head = "{{name}}", *const encoder = "minilm";

        static bool is_there(hidra_client *client, hidra_code *code, hidra_error **error) {
            hidra_registry *registry = NULL;
            bool found = false;
            *code = hidra_list(client, NULL, &registry, error);
            for (size_t i = 0; *code == HIDRA_OK && i < registry->head_count; i++) found |= strcmp(registry->heads[i].name, head) == 0;
            hidra_free(registry);
            return found;
        }

        static hidra_code train(hidra_client *client, const struct examples *examples, hidra_error **error) {
            const hidra_column columns[] = {{.name = "text", .texts = examples->texts}, {.name = "label", .texts = examples->labels}};
            hidra_code code = hidra_append_rows(client, NULL, "examples", 0, columns, 2, examples->count, error);
            if (code != HIDRA_OK) return code;
            const hidra_training training = {
                .head = head, .encoder = encoder, .data = "examples", .input_column = "text", .label_column = "label", .holdout = 0.2,
                .replace = true,
            };
            hidra_trained *trained = NULL;
            code = hidra_train(client, NULL, &training, &trained, error);
            if (code == HIDRA_OK) fprintf(stderr, "trained %s in %.1f s\n", head, trained->total_seconds);
            hidra_free(trained);
            return code;
        }

        int main(int count, char **arguments) {
            struct examples examples;
            if (examples_read("data/examples.tsv", &examples) != 0) return 1;
            hidra_error *error = NULL;
            hidra_client *client = NULL;
            const hidra_options options = {.client = "{{name}} 0.1.0"};
            hidra_code code = hidra_connect(&options, &client, &error);
            bool found = code == HIDRA_OK && is_there(client, &code, &error);
            bool wanted = count > 1 && strcmp(arguments[1], "--train") == 0;
            if (code == HIDRA_OK && (wanted || !found)) code = train(client, &examples, &error);
            if (code == HIDRA_OK) {
                /* Until the daemon says goodbye. */
                hidra_wait(client, NULL, &error);
                fprintf(stderr, "%s\n", error == NULL ? "goodbye" : error->message);
            } else fprintf(stderr, "{{name}}: %s\n", error == NULL ? hidra_code_name(code) : error->message);
            hidra_free(error);
            hidra_goodbye(client);
            examples_free(&examples);
            return code == HIDRA_OK ? 0 : 1;
        }

        """#

    private static let test = #"""
        /* make check */
        #include "examples.h"

        #include <stdio.h>
        #include <string.h>

        int main(void) {
            struct examples examples;
            int failed = examples_read("data/examples.tsv", &examples) != 0, labels = 0;
            for (size_t i = 0; !failed && i < examples.count; i++) {
                if (*examples.texts[i] == 0 || *examples.labels[i] == 0) {
                    printf("row %zu has no text or no label\n", i + 1);
                    failed++;
                }
                labels |= strcmp(examples.labels[i], examples.labels[0]) != 0;
            }
            if (!labels) {
                printf("there is nothing to tell apart: one label only\n");
                failed++;
            }
            examples_free(&examples);
            printf("%s\n", failed ? "failed" : "ok");
            return failed != 0;
        }

        """#

    private static let readme = """
        # {{name}}

        A Hidra plugin in C. It brings `data/examples.tsv` and trains the head `{{name}}`, which sorts messages to a shop.

            make                                      # builds bin/{{name}}; SDK= names a checkout of hidra
            make check                                # the plugin's own tests
            hidra plugin test .                       # runs it against a daemon of its own
            hidra plugin install . && hidra plugin start {{name}} --wait
            hidra predict {{name}} "where is my parcel"

        Make it yours: put your rows into `data/examples.tsv`; the label may have any number of values. `train` in `src/main.c` says which
        encoder and what kind of head; `hidra.h` documents the rest. After a change: `make`, `hidra plugin install . --replace`; the head is
        trained again when it is not there, so `hidra rm {{name}}` first, or add `--train` to `command` in `plugin.yaml`.

        The daemon gives the plugin its folder as working directory, and of the environment only `PATH`, `HOME`, `LANG`, `TMPDIR` and what
        names Hidra's home and the plugin. What it prints is in `hidra plugin logs {{name}}`. `limits` in `plugin.yaml` bound it.

        """
}
