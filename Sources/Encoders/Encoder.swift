package import TensorCore

/// A frozen pretrained network: tokens in, hidden states at taps out. Tap 0 is the embeddings' output, tap k the output of layer k.
package protocol Encoder: Sendable {
    var width: Int { get }
    var layers: Int { get }
    /// Longest sequence the network has positions for.
    var positions: Int { get }
    var vocabularySize: Int { get }
    var tokenTypes: Int { get }
    var parameterCount: Int { get }
    var precision: Precision { get }
    var weightMemory: WeightMemory { get }

    /// Hidden states `[tokens, width]` at each of `taps`; nothing above the deepest is computed.
    func hiddenStates(_ batch: PackedTokens, taps: Set<Int>) -> [Int: Tensor]

    /// Lets the system drop pages of mapped weights; they come back from the file when they are needed.
    func releasePages()
}
