package import Checkpoints
package import TensorCore

/// The part that heads share and that is trained with them: an encoder with adapters, or its top layers.
package protocol TrainableBody: AnyObject {
    /// Everything that is trained, always in this order.
    var parameters: [BodyParameter] { get }
    /// Of the features.
    var width: Int { get }

    /// Features `[rows, width]` with history, of rows of one or more data sets, in their order. One pass for all of them.
    ///
    /// - Parameter dropoutSeed: makes the randomness of training repeatable; nil in evaluation.
    func features(_ batch: [JointRows], dropoutSeed: UInt64?) throws -> Tensor

    /// The same without history, as in a prediction.
    func evaluate(_ batch: [JointRows]) throws -> Tensor
}

extension TrainableBody {
    package func evaluate(_ batch: [JointRows]) throws -> Tensor { try features(batch, dropoutSeed: nil).detached }
}

/// A trained value of a body, and how deep it lies.
package struct BodyParameter {
    package let parameter: Parameter
    /// Layers between it and the top: 0 is the top layer. Learning rates fall with it, and unfreezing goes down by it.
    package let depth: Int

    package init(_ parameter: Parameter, depth: Int) {
        self.parameter = parameter
        self.depth = depth
    }
}
