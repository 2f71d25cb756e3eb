#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

/* Bytes of DIRECTORY/control.sock that a socket's address holds. */
enum { longest_socket = 100 };

static bool is_short_enough(const char *directory) { return strlen(directory) + strlen("/control.sock") <= longest_socket; }

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != 0 ? value : NULL;
}

/* Takes `.`, `..`, doubled and trailing slashes out of an absolute path, in place. */
static void normalise(char *path) {
    char *end = path, *part = path;
    while (*part != 0) {
        part += strspn(part, "/");
        size_t length = strcspn(part, "/");
        char *next = part + length;
        if (length == 2 && strncmp(part, "..", 2) == 0) {
            while (end > path && *--end != '/') {}
        } else if (length > 0 && !(length == 1 && *part == '.')) {
            *end++ = '/';
            memmove(end, part, length);
            end += length;
        }
        part = next;
    }
    if (end == path) *end++ = '/';
    *end = 0;
}

hidra_code hi_place_home(struct place *place, const char *named, hidra_error **error) {
    const char *base = named != NULL && *named != 0 ? named : variable("HIDRA_HOME"), *below = "";
    char fallback[64];
    if (base == NULL) {
        const char *data = variable("XDG_DATA_HOME"), *user = variable("HOME");
        snprintf(fallback, sizeof fallback, "/tmp/hidra-home-%lu", (unsigned long)getuid());
        bool has_data = data != NULL && *data == '/'; /* the XDG specification: ignore relative paths */
        base = has_data ? data : user != NULL ? user : fallback;
        below = has_data ? "/hidra" : "/.local/share/hidra";
    }
    char working[PATH_MAX] = "";
    if (*base != '/' && getcwd(working, sizeof working) == NULL)
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The home %s is relative, and the working directory cannot be read: %s.", base,
                    strerror(errno));
    int length = snprintf(place->home, sizeof place->home, "%s/%s%s", working, base, below);
    if (length < 0 || (size_t)length >= sizeof place->home)
        return hi_fail(error, HIDRA_INVALID_ARGUMENT, "The path of the home is too long. Set HIDRA_HOME to a shorter one.");
    normalise(place->home);
    return HIDRA_OK;
}

/* Two lines: process id and directory. Anything else is being written. */
static bool read_record(const struct place *place, char directory[static 128]) {
    char path[PATH_MAX + 16], text[513];
    snprintf(path, sizeof path, "%s/daemon.lock", place->home);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = pread(file, text, sizeof text - 1, 0);
    close(file);
    if (count <= 0) return false;
    text[count] = 0;
    char *end;
    errno = 0;
    long process = strtol(text, &end, 10);
    if (errno != 0 || end == text || process <= 0 || process > INT_MAX || *end != '\n' || end[1] != '/') return false;
    char *line = end + 1, *newline = strchr(line, '\n');
    if (newline == NULL || newline + 1 != text + count) return false;
    *newline = 0;
    if (!is_short_enough(line)) return false;
    strcpy(directory, line);
    return true;
}

/* The directory that follows from the home alone: `hidra-` and the FNV-1a of its path. */
static void derive(struct place *place) {
    uint32_t hash = 0x811c9dc5u;
    for (const char *byte = place->home; *byte != 0; byte++) hash = (hash ^ (unsigned char)*byte) * 0x01000193u;
    const char *runtime = variable("XDG_RUNTIME_DIR");
    if (runtime != NULL && *runtime == '/' && access(runtime, W_OK | X_OK) == 0) {
        int length = snprintf(place->directory, sizeof place->directory, "%s/hidra-%08x", runtime, hash);
        if (length > 0 && (size_t)length < sizeof place->directory && is_short_enough(place->directory)) return;
    }
    snprintf(place->directory, sizeof place->directory, "/tmp/hidra-%lu-%08x", (unsigned long)getuid(), hash);
}

hidra_code hi_place_sockets(struct place *place, hidra_error **error) {
    if (!read_record(place, place->directory)) derive(place);
    struct stat status;
    /* lstat: a link would let its owner choose another directory later. */
    if (lstat(place->directory, &status) != 0) {
        if (errno == ENOENT)
            return hi_fail(error, HIDRA_UNAVAILABLE, "No hidrad runs for %s. Start it with `hidra start`.", place->home);
        return hi_fail(error, HIDRA_PERMISSION_DENIED, "The socket directory %s cannot be read: %s.", place->directory, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != getuid() || (status.st_mode & 077) != 0)
        return hi_fail(error, HIDRA_PERMISSION_DENIED,
                    "%s is not a directory that you alone may enter (mode 0700). Somebody else may have made it: remove it, or set "
                    "XDG_RUNTIME_DIR to a directory of your own.", place->directory);
    return HIDRA_OK;
}

bool hi_place_is_bound(const struct place *place) {
    static const char *const sockets[] = {"control", "work", "events"};
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        char path[sizeof place->directory + 32];
        snprintf(path, sizeof path, "%s/%s.sock", place->directory, sockets[i]);
        if (access(path, F_OK) != 0) return false;
    }
    return true;
}

hidra_code hi_place_make_home(const struct place *place, hidra_error **error) {
    char path[PATH_MAX];
    strcpy(path, place->home);
    for (char *slash = path + 1; slash != NULL;) {
        slash = strchr(slash, '/');
        if (slash != NULL) *slash = 0;
        int code = mkdir(path, 0700) == 0 ? 0 : errno;
        /* Some file systems say no before they say that it exists. */
        if (code != 0 && code != EEXIST && access(path, F_OK) != 0)
            return hi_fail(error, code == ENOSPC ? HIDRA_DISK_FULL : HIDRA_PERMISSION_DENIED,
                        "The home %s cannot be made: %s: %s. Set HIDRA_HOME to a directory you may write to.", place->home, path,
                        strerror(code));
        if (slash != NULL) *slash++ = '/';
    }
    return HIDRA_OK;
}
