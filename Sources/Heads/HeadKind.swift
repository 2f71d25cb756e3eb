/// The built-in networks of a head.
package enum HeadKind: Sendable, Codable, Equatable {
    /// `y = x Wᵀ + b`
    case linear
    /// `linear → GELU → dropout → linear`
    case mlp(hidden: Int, dropout: Double)

    package static let defaultHidden = 512
    package static let defaultDropout = 0.3
    package static let largestHidden = 16_384

    package var name: String {
        switch self {
        case .linear: "linear"
        case .mlp: "mlp"
        }
    }
}

package enum HeadTask: String, Sendable, Codable, CaseIterable {
    /// One label for each text.
    case classify
    /// Any number of labels for each text.
    case multilabel
    /// A number for each text.
    case regress
}
