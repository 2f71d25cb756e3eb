package import Graphs

/// The networks a head can have.
package enum HeadKind: Sendable, Codable, Equatable {
    /// `y = x Wᵀ + b`
    case linear
    /// `linear → GELU → dropout → linear`
    case mlp(hidden: Int, dropout: Double)
    /// Of each word, as `mlp` or for a hidden width of 0 as `linear`, then a linear-chain conditional random field over the words.
    case tagger(hidden: Int, dropout: Double)
    /// An ONNX graph that came with the request.
    case graph
    /// Several encoders' features made one, a graph that Hidra writes itself (`FusionGraph`).
    case fusion(Fusion, hidden: Int, dropout: Double)

    package static let defaultHidden = 512
    package static let defaultDropout = 0.3
    package static let largestHidden = 16_384

    package var name: String {
        switch self {
        case .linear: "linear"
        case .mlp: "mlp"
        case .tagger: "tagger"
        case .graph: "graph"
        case .fusion(let fusion, _, _): fusion.rawValue
        }
    }

    /// Whether the network is a graph, kept as ONNX.
    package var isGraph: Bool {
        switch self {
        case .graph, .fusion: true
        case .linear, .mlp, .tagger: false
        }
    }
}

package enum HeadTask: String, Sendable, Codable, CaseIterable {
    /// One label for each input.
    case classify
    /// Any number of labels for each input.
    case multilabel
    /// A number for each input.
    case regress
    /// A label for each word of a text.
    case tag

    /// Where a range test finds nothing useful: most words are "O", which a head learns in no time at any rate. On 150 sentences the test's
    /// rate gives a span F1 of 0.47, this one 0.69.
    package var fixedRate: Double? { self == .tag ? 0.01 : nil }
}
