/// The numbers that an encoder's matrix products are computed in.
package enum Precision: String, Sendable, Codable, CaseIterable {
    /// Single precision, as the checkpoint has it.
    case fp32
    /// Products of eight-bit integers: weights with a scale for each output channel, activations with a scale and a zero point for
    /// each token, found as they come. Everything between the products, and the hidden states at the taps, stay in fp32.
    case int8
}

/// An encoder that cannot be computed in the precision asked for.
package struct PrecisionError: Error, Sendable, CustomStringConvertible {
    /// What is not possible, and what to do about it.
    package let description: String

    init(_ precision: Precision, _ subject: String) {
        description = "\(subject) cannot be computed in \(precision.rawValue); load it in fp32."
    }
}

/// Memory that an encoder's weights take, in bytes.
package struct WeightMemory: Sendable, Equatable {
    /// What the process holds for itself: packed matrices, biases.
    package var packed: Int
    /// What is read from the mapped file, when all of it has been touched: the system may drop these pages and read them again.
    package var mapped: Int

    package init(packed: Int, mapped: Int) {
        self.packed = packed
        self.mapped = mapped
    }

    /// The most that can be resident at a time.
    package var resident: Int { packed + mapped }
}
