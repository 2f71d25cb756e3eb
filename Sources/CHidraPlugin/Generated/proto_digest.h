/* Written by proto/generate.sh. */
#ifndef HIDRA_PROTO_DIGEST_H
#define HIDRA_PROTO_DIGEST_H

/* FNV-1a of the .proto files that the code beside this was generated from. */
#define HIDRA_PROTO_DIGEST 0xb633b07fu

#endif
