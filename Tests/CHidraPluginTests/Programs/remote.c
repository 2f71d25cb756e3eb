/* A daemon over the network. Usage: remote KEY REVOKED ENCODER, two files of keys, the first of the role "train". Ends with 0 when all is as
 * expected. */
#include <stdlib.h>
#include <unistd.h>

#include "expect.h"

int main(int count, char **arguments) {
    if (count != 4) return 2;
    hidra_error *error = NULL;
    hidra_client *client = NULL;
    hidra_options options = {.key = arguments[1], .client = "remote 1.0", .timeout = 30};
    hidra_code code = hidra_connect(&options, &client, &error);
    expect(code == HIDRA_OK, "connect", &error);
    if (code != HIDRA_OK) return 1;
    append_rows(client, "rows");
    hidra_trained *trained = NULL;
    const hidra_training training = {.head = "far", .encoder = arguments[3], .data = "rows", .input_column = "text", .label_column = "label",
                                     .epochs = 3, .learning_rate = 0.01, .replace = true};
    expect(hidra_train(client, NULL, &training, &trained, &error) == HIDRA_OK, "train", &error);
    hidra_free(trained);
    char path[] = "/tmp/hidra-remote-XXXXXX", digest[65];
    int file = mkstemp(path);
    expect(write(file, "text,label\naa,calm\ncc,cross\n", 28) == 28, "write", NULL);
    close(file);
    hidra_opened *opened = NULL;
    expect(hidra_upload(client, NULL, path, digest, &error) == HIDRA_OK, "upload", &error);
    const hidra_table table = {.digest = digest, .format = "csv"}, own = {.path = path, .format = "csv"};
    expect(hidra_open_data(client, NULL, "sent", &table, &opened, &error) == HIDRA_OK && opened->rows == 2, "open an upload", &error);
    hidra_free(opened);
    expect(hidra_open_data(client, NULL, "own", &own, NULL, &error) == HIDRA_PERMISSION_DENIED, "a file of the daemon's machine", &error);
    unlink(path);
    hidra_state *state = NULL;
    expect(hidra_status(client, NULL, &state, &error) == HIDRA_PERMISSION_DENIED && strcmp(hidra_error_detail(error, "needed"), "admin") == 0,
           "more than the role", &error);
    hidra_goodbye(client);
    client = NULL;
    /* By the environment. */
    setenv("HIDRA_KEY", arguments[1], 1);
    options = (hidra_options){.timeout = 30};
    expect(hidra_connect(&options, &client, &error) == HIDRA_OK, "connect by the environment", &error);
    hidra_goodbye(client);
    options = (hidra_options){.key = arguments[2], .timeout = 30};
    expect(hidra_connect(&options, &client, &error) == HIDRA_PERMISSION_DENIED && client == NULL, "a key that was revoked", &error);
    printf("%d not as expected\n", failures);
    return failures > 0;
}
