import COpenSSL

/// A running digest of bytes, by OpenSSL: it uses the processor's SHA instructions where there are any.
package struct MessageDigest: ~Copyable {
    package enum Algorithm: Sendable {
        /// FIPS 180-4; 32 bytes.
        case sha256
        /// 20 bytes. Only for the names git gives to contents, never for security.
        case sha1
    }

    private let context: OpaquePointer

    package init(_ algorithm: Algorithm) {
        guard let context = EVP_MD_CTX_new() else { fatalError("out of memory: a digest's context") }
        self.context = context
        let kind = algorithm == .sha256 ? EVP_sha256() : EVP_sha1()
        guard EVP_DigestInit_ex(context, kind, nil) == 1 else { fatalError("OpenSSL does not offer \(algorithm)") }
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        // Fails only for a context that was not initialised.
        precondition(EVP_DigestUpdate(context, base, bytes.count) == 1)
    }

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        bytes.withUnsafeBytes { update($0) }
    }

    package consuming func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        precondition(EVP_DigestFinal_ex(context, &digest, &length) == 1)
        return Array(digest.prefix(Int(length)))
    }

    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = MessageDigest(.sha256)
        digest.update(bytes)
        return digest.finalize()
    }

    package static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var digest = MessageDigest(.sha256)
        digest.update(bytes)
        return digest.finalize()
    }
}

extension Sequence<UInt8> {
    /// Lower-case hexadecimal digits.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
