/// What a head reads through one input of its network: the features of one column, from one place in one encoder.
package struct HeadInput: Sendable, Codable, Hashable {
    /// The graph's input; empty for the only input of a built-in kind.
    package var name: String
    package var encoder: String
    /// Digest of the encoder's weights the head was trained on.
    package var encoderDigest: String
    package var tap: String
    package var form: FeatureForm
    /// The column's name in the table the head was trained on.
    package var column: String

    package init(
        name: String, encoder: String, encoderDigest: String, tap: String, form: FeatureForm, column: String
    ) {
        self.name = name
        self.encoder = encoder
        self.encoderDigest = encoderDigest
        self.tap = tap
        self.form = form
        self.column = column
    }
}

/// What becomes of the hidden states at a tap.
package enum FeatureForm: String, Sendable, Codable, Hashable {
    /// One vector `[width]`, as the encoder pools.
    case pooled
    /// All of them, `[tokens, width]`, neither pooled nor normalised; special tokens are among the tokens.
    case states
}
