/* A daemon on another machine, by the key to it: proto/README.md, section 15. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "failure.h"
#include "place.h"

enum { longest_file = 4096, key_length = 40 };

/* The value of a line "NAME VALUE", cut out of `text`; NULL: there is none. */
static const char *value_of(const char *text, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || line[length] != ' ') continue;
        size_t end = strcspn(line + length + 1, "\r\n");
        if (end >= size) return NULL;
        memcpy(value, line + length + 1, end);
        value[end] = 0;
        return value;
    }
    return NULL;
}

static hidra_code read_key(const char *path, char text[static longest_file + 1], hidra_error **error) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return hi_fail(error, errno == ENOENT ? HIDRA_NOT_FOUND : HIDRA_PERMISSION_DENIED, "The key %s cannot be read: %s.", path, strerror(errno));
    struct stat status;
    bool is_private = fstat(file, &status) == 0 && (status.st_mode & 077) == 0;
    ssize_t count = is_private ? pread(file, text, longest_file, 0) : 0;
    int code = errno;
    close(file);
    if (!is_private)
        return hi_fail(error, HIDRA_PERMISSION_DENIED,
                    "Others may read the key %s. chmod 600 it; if somebody may have read it, have it revoked.", path);
    if (count < 0) return hi_fail(error, HIDRA_PERMISSION_DENIED, "The key %s cannot be read: %s.", path, strerror(code));
    text[count] = 0;
    return HIDRA_OK;
}

/* The port of tcp://HOST:PORT, or 0. The two after it are used too. */
static long port_of(const char *address) {
    const char *colon = strrchr(address, ':');
    if (strncmp(address, "tcp://", 6) != 0 || colon == NULL || colon <= address + 6 || strpbrk(address, " \t\r\n") != NULL) return 0;
    size_t digits = strspn(colon + 1, "0123456789");
    long port = digits > 0 && digits < 6 && colon[1 + digits] == 0 ? strtol(colon + 1, NULL, 10) : 0;
    return port <= 65533 ? port : 0;
}

hidra_code hi_remote_place(struct place *place, const char *server, const char *key, hidra_error **error) {
    char text[longest_file + 1];
    if (key == NULL) return hi_fail(error, HIDRA_INVALID_ARGUMENT, "%s is reached with a key only. Name its file, or set HIDRA_KEY.", server);
    hidra_code code = read_key(key, text, error);
    if (code != HIDRA_OK) return code;
    const struct {
        const char *name;
        char *target;
    } keys[] = {{"server-key", place->server_key}, {"public-key", place->public_key}, {"secret-key", place->secret_key}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint8_t raw[32];
        /* One that is longer than its place is none. */
        const char *found = value_of(text, keys[i].name, keys[i].target, key_length + 1);
        if (found == NULL || strlen(found) != key_length || zmq_z85_decode(raw, found) == NULL)
            return hi_fail(error, HIDRA_CORRUPT, "%s has no %s of 40 characters. Ask for a new key (`hidra keys new NAME -o FILE`).", key, keys[i].name);
    }
    if (server != NULL) {
        if (strlen(server) < sizeof place->directory) strcpy(place->directory, server);
    } else value_of(text, "endpoint", place->directory, sizeof place->directory);
    place->is_remote = true;
    if (port_of(place->directory) > 0) return HIDRA_OK;
    return hi_fail(error, HIDRA_INVALID_ARGUMENT, "'%s' is no address of a daemon; it must be tcp://HOST:PORT.", server != NULL ? server : place->directory);
}

void hi_remote_endpoint(const struct place *place, int channel, char *endpoint, size_t size) {
    int host = (int)(strrchr(place->directory, ':') - place->directory);
    snprintf(endpoint, size, "%.*s:%ld", host, place->directory, port_of(place->directory) + channel);
}

bool hi_remote_secure(const struct place *place, void *socket) {
    int ipv6 = strncmp(place->directory, "tcp://[", 7) == 0;
    return zmq_setsockopt(socket, ZMQ_IPV6, &ipv6, sizeof ipv6) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, place->server_key, key_length + 1) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, place->public_key, key_length + 1) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, place->secret_key, key_length + 1) == 0;
}
