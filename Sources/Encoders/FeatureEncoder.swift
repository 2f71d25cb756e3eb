package import TensorCore

/// A place in an encoder where hidden states can be read.
package struct Tap: Sendable, Equatable {
    package let name: String
    /// Length of the vector that pooling makes of the hidden states there.
    package let width: Int
    /// Whether there is a hidden state of that width for each token, so that they can be read without pooling.
    package let hasStates: Bool

    package init(name: String, width: Int, hasStates: Bool = false) {
        self.name = name
        self.width = width
        self.hasStates = hasStates
    }
}

/// A frozen pretrained encoder with everything around it: inputs of one modality in, one vector each out. Shared by everyone.
package protocol FeatureEncoder: Sendable {
    /// The checkpoint's `model_type`.
    var architecture: String { get }
    var modality: Modality { get }
    /// From the first hidden states to the top; never empty.
    var taps: [Tap] { get }
    var parameterCount: Int { get }
    /// What its products are computed in: features of different precisions are different features.
    var precision: Precision { get }
    var weightMemory: WeightMemory { get }
    /// Most tokens of one text, special ones included; 0 for other modalities.
    var maxTokens: Int { get }
    /// How hidden states become one vector, e.g. "mean+l2".
    var poolingName: String { get }
    /// Everything done to an input before the network, except by the tokenizer's own file: part of the feature cache's key.
    var preprocessing: String { get }

    /// Tokenises, or decodes and resizes. Safe from any thread.
    ///
    /// - Throws: what is wrong with this input; others are not affected.
    func prepare(_ input: EncoderInput) throws -> PreparedInput

    /// Features at each of `taps`, in their order: `[inputs, width of the tap]`. Nothing above the deepest is computed. An input's
    /// vector has the same bits whatever else is in the batch.
    ///
    /// - Throws: what a graph finds wrong only when it runs.
    func features(_ inputs: [PreparedInput], taps: [Int]) throws -> [Tensor]

    /// Hidden states of all inputs at a tap that has them, laid end to end: `[tokens, width of the tap]`, each input's
    /// `PreparedInput.tokens` rows. They have the same bits whatever else is in the batch.
    ///
    /// - Throws: what a graph finds wrong only when it runs.
    func states(_ inputs: [PreparedInput], tap: Int) throws -> Tensor

    /// For each word of a text, which white space separates, the token that stands for it: its first. Words that were cut off with the
    /// text's end are left out. nil for encoders that do not read texts, or do not know where their tokens lie.
    func wordTokens(_ text: String) -> [Int]?

    /// Lets the system drop pages of mapped weights; they come back from the file when they are needed.
    func releasePages()
}

extension FeatureEncoder {
    package func wordTokens(_ text: String) -> [Int]? { nil }

    /// Of an encoder without taps that have states.
    package func states(_ inputs: [PreparedInput], tap: Int) throws -> Tensor {
        preconditionFailure("tap \(tap) of \(architecture) has no states")
    }

    package var topTap: Int { taps.count - 1 }

    package var precision: Precision { .fp32 }

    /// Of encoders that hold their weights in fp32 themselves.
    package var weightMemory: WeightMemory {
        WeightMemory(packed: parameterCount * MemoryLayout<Float>.stride, mapped: 0)
    }

    /// Width of the top tap.
    package var width: Int { taps[topTap].width }

    /// Features `[inputs, width of the tap]` at one tap.
    package func features(_ inputs: [PreparedInput], tap: Int) throws -> Tensor { try features(inputs, taps: [tap])[0] }

    /// The tap of this name; the top for an empty one. nil when there is none.
    package func tap(named name: String) -> Int? {
        name.isEmpty ? topTap : taps.firstIndex { $0.name == name }
    }
}

/// An input of the wrong modality: a text for an image encoder.
package struct ModalityError: Error, CustomStringConvertible {
    package let description: String

    package init(expected: Modality, got: Modality) {
        description = "The encoder reads \(expected.plural), and this is \(got == .image ? "an image" : "a text")."
    }
}
