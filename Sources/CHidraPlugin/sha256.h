/* SHA-256 (FIPS 180-4), by which uploads are known. */
#ifndef HIDRA_SHA256_H
#define HIDRA_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void hi_sha256_begin(struct sha256 *hash);
void hi_sha256_add(struct sha256 *hash, const void *data, size_t size);
/* Lower-case hexadecimal. */
void hi_sha256_end(struct sha256 *hash, char digest[static 65]);

#endif
