import Checkpoints
import Layers
package import TensorCore

/// A frozen pretrained network over images. Its taps are the outputs of the stem, of its stages or blocks in order, and at the top
/// what its classifier pools.
package protocol VisionNetwork: Sendable {
    /// Channels of the input.
    var channels: Int { get }
    /// Channels at each tap.
    var tapWidths: [Int] { get }
    /// Learned numbers, the classifier's included; running statistics are not.
    var parameterCount: Int { get }
    /// The layer on the pooled top tap, when the checkpoint has one.
    var classifier: ImageClassifier? { get }

    /// Feature maps `[batch, height, width, tapWidths[tap]]` at each of `taps`; nothing above the deepest is computed. An image's maps
    /// do not depend on the others of its batch. Pixels are `[batch, height, width, channels]`.
    func hiddenStates(_ pixels: Tensor, taps: Set<Int>) -> [Int: Tensor]

    /// Lets the system drop pages of mapped weights; they come back from the file when they are needed.
    func releasePages()
}

/// The linear layer on top of the pooled features of a classification checkpoint.
package final class ImageClassifier: @unchecked Sendable {
    // `@unchecked`: the weights are written while loading and only read afterwards.
    package let classes: Int
    private let linear: FrozenLinear

    private init(_ linear: Linear, classes: Int) {
        self.classes = classes
        self.linear = Linear.frozen([linear])
    }

    /// Pooled features `[images, width]` → logits `[images, classes]`.
    package func callAsFunction(_ pooled: Tensor) -> Tensor { PackedLinear(linear)(pooled) }

    /// Most classes a checkpoint may have.
    static let largestCount = 1 << 20

    /// The parameters of a classifier, not packed yet.
    struct Loaded {
        let linear: Linear
        let classes: Int

        func frozen() -> ImageClassifier { ImageClassifier(linear, classes: classes) }
    }

    /// The layer `name` of a checkpoint; nil when it has none. How many classes there are, its bias says.
    static func load(_ name: String, width: Int, in scope: ParameterScope, of checkpoint: Safetensors) -> Loaded? {
        guard let bias = checkpoint.entries["\(name).bias"], bias.shape.count == 1,
            (1...largestCount).contains(bias.shape[0])
        else {
            return nil
        }
        let scope = name.split(separator: ".").reduce(scope) { $0.scope(String($1)) }
        return Loaded(linear: Linear(width, bias.shape[0], in: scope), classes: bias.shape[0])
    }
}

extension ParameterScope {
    /// The buffer that counts training steps; nothing that runs reads it.
    static func isStepCounter(_ name: String) -> Bool { name.hasSuffix(".num_batches_tracked") }

    /// Numbers that were learned; running statistics were measured.
    var learnedCount: Int {
        parameters.reduce(0) { $0 + ($1.name.contains(".running_") ? 0 : $1.value.count) }
    }
}
