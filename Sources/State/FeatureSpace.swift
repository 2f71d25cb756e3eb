/// What a cached vector is a function of, besides the input itself. Two vectors may be compared, and one may stand for
/// the other, only inside one space.
package struct FeatureSpace: Hashable, Sendable {
    /// SHA-256 of the encoder's weights.
    package var weights: String
    /// The layer that was read and everything done to its hidden states, e.g. "6/mean/l2".
    package var tap: String
    /// Everything done to the input before the encoder, e.g. a digest of `tokenizer.json` and the token limit.
    package var preprocessing: String
    /// "fp32", "int8": arithmetic, which changes the last digits.
    package var precision: String
    package init(weights: String, tap: String, preprocessing: String, precision: String) {
        self.weights = weights
        self.tap = tap
        self.preprocessing = preprocessing
        self.precision = precision
    }

    /// The whole of it, a line for each part.
    package var key: String { "\(source)\n\(precision)" }

    /// What the vectors would be in exact arithmetic: a head that was trained on one precision can read another.
    package var source: String { "\(weights)\n\(tap)\n\(preprocessing)" }

    /// Whether `key` is the key of the same features, in whatever precision.
    package func isSource(ofKey key: String) -> Bool {
        guard let end = key.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return false }
        return key[..<end] == source
    }
}

/// What is remembered beside a vector.
package struct FeatureInfo: Hashable, Sendable {
    /// Tokens that were encoded.
    package var tokens: Int
    /// Whether the input was cut at the encoder's limit.
    package var truncated: Bool

    package init(tokens: Int, truncated: Bool) {
        self.tokens = tokens
        self.truncated = truncated
    }
}
