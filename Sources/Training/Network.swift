package import Checkpoints
package import TensorCore

/// Something trainable that maps features to outputs.
package protocol Network {
    var parameters: [Parameter] { get }

    /// x `[rows, width]` → `[rows, outputs]`. `dropoutSeed` is given in training and makes its randomness repeatable; nil in
    /// evaluation.
    func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) -> Tensor
}
