#!/usr/bin/env bash
# Regenerates Sources/HidraProtocol/Generated, Sources/ONNX/Generated, Sources/CHidraPlugin/Generated and the Python package's messages
# from the .proto files beside this script, together with their digest, which tests compare with the files.
#
# Needs protoc-c (Debian: protobuf-c-compiler), protoc (3.20 to 3.25, see Plugins/python-sdk/generate.sh) and protoc-gen-swift of swift-protobuf 1.39.0, found as $PROTOC_GEN_SWIFT or in PATH:
#     git clone --branch 1.39.0 https://github.com/apple/swift-protobuf && cd swift-protobuf
#     swift build -c release --product protoc-gen-swift
set -euo pipefail
export LC_ALL=C

proto="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
generated="$proto/../Sources/HidraProtocol/Generated"
onnx="$proto/../Sources/ONNX/Generated"
plugin="${PROTOC_GEN_SWIFT:-$(command -v protoc-gen-swift || true)}"
if [[ -z "$plugin" ]]; then
    echo "generate.sh: no protoc-gen-swift; build it as the head of this script says and set PROTOC_GEN_SWIFT" >&2
    exit 1
fi

mkdir -p "$generated" "$onnx"
cd "$proto"
mapfile -t files < <(find . -name '*.proto' -printf '%P\n' | sort)

rm -f "$generated"/*.pb.swift "$onnx"/*.pb.swift
# Visibility: HidraClient shows these types to its users. UseAccessLevelOnImports: imports are internal by default.
protoc --plugin=protoc-gen-swift="$plugin" \
    --swift_opt=Visibility=Public --swift_opt=UseAccessLevelOnImports=true --swift_opt=FileNaming=DropPath \
    --swift_out="$generated" -I . $(printf '%s\n' "${files[@]}" | grep '^hidra/')
protoc --plugin=protoc-gen-swift="$plugin" \
    --swift_opt=Visibility=Package --swift_opt=UseAccessLevelOnImports=true --swift_opt=FileNaming=DropPath \
    --swift_out="$onnx" -I . $(printf '%s\n' "${files[@]}" | grep '^onnx/')

# FNV-1a, 32 bit, over each file's path, a zero byte, its bytes, a zero byte. Same computation as in ProtoDigestTests.
hash=$((0x811c9dc5))
for byte in $(for file in "${files[@]}"; do printf '%s\0' "$file"; cat "$file"; printf '\0'; done | od -An -v -tu1); do
    hash=$((((hash ^ byte) * 0x01000193) & 0xffffffff))
done
cat > "$generated/ProtoDigest.swift" <<SWIFT
// Written by proto/generate.sh.

/// FNV-1a of the .proto files that the code beside this was generated from.
package let protoDigest: UInt32 = $(printf '0x%08x' "$hash")
SWIFT

# protobuf-c before 1.5 knows no `optional` in proto3. On the wire it is a oneof with one member, which it does know.
c="$proto/../Sources/CHidraPlugin/Generated"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
mkdir -p "$c" "$copy/hidra/v1"
rm -rf "$c"/*
for file in hidra/v1/*.proto; do
    sed -E 's/^( *)optional ([a-z0-9]+) ([a-z0-9_]+) = ([0-9]+);/\1oneof \3_presence { \2 \3 = \4; }/' "$file" >"$copy/$file"
done
protoc-c -I "$copy" --c_out="$c" "$copy"/hidra/v1/*.proto
cat > "$c/proto_digest.h" <<C
/* Written by proto/generate.sh. */
#ifndef HIDRA_PROTO_DIGEST_H
#define HIDRA_PROTO_DIGEST_H

/* FNV-1a of the .proto files that the code beside this was generated from. */
#define HIDRA_PROTO_DIGEST $(printf '0x%08xu' "$hash")

#endif
C

echo "generated ${#files[@]} files, digest $(printf '%08x' "$hash")"
"$proto/../Plugins/python-sdk/generate.sh"
