// Written by proto/generate.sh.

/// FNV-1a of the .proto files that the code beside this was generated from.
package let protoDigest: UInt32 = 0xb633b07f
