internal import CZeroMQ

/// Keys of CURVE (https://rfc.zeromq.org/spec/26), each 32 bytes as 40 characters of Z85.
package struct CurveKeyPair: Sendable, Equatable {
    package let publicKey: String
    package let secretKey: String

    /// A new pair, from the system's random numbers.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicKey = [CChar](repeating: 0, count: 41), secretKey = publicKey
        guard zmq_curve_keypair(&publicKey, &secretKey) == 0 else { throw .last("make a pair of keys") }
        return CurveKeyPair(publicKey: text(publicKey), secretKey: text(secretKey))
    }

    private init(publicKey: String, secretKey: String) { (self.publicKey, self.secretKey) = (publicKey, secretKey) }

    /// The pair of a secret key; nil for what is none.
    package init?(secretKey: String) {
        var publicKey = [CChar](repeating: 0, count: 41)
        guard Self.isKey(secretKey), zmq_curve_public(&publicKey, secretKey) == 0 else { return nil }
        self.init(publicKey: Self.text(publicKey), secretKey: secretKey)
    }

    /// Whether it is 40 characters of Z85.
    package static func isKey(_ text: String) -> Bool {
        let alphabet = Set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)
        guard text.utf8.count == 40, text.utf8.allSatisfy(alphabet.contains) else { return false }
        var bytes = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&bytes, text) != nil
    }

    /// Z85 of a key's 32 bytes, as an authenticator gets them.
    package static func text(ofKey bytes: [UInt8]) -> String? {
        var key = [CChar](repeating: 0, count: 41)
        guard bytes.count == 32, zmq_z85_encode(&key, bytes, bytes.count) != nil else { return nil }
        return text(key)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
