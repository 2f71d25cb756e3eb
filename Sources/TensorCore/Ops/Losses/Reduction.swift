/// How the losses of many elements become one output.
package enum Reduction: String, Sendable, CaseIterable {
    /// Each element keeps its own loss.
    case none
    case sum
    /// The sum divided by the number of elements; losses with weights say what they divide by instead.
    case mean
    /// The sum divided by the extent of the first axis.
    case batchMean = "batchmean"

    /// What the sum over elements of `shape` is divided by.
    func divisor(_ shape: Shape) -> Double {
        switch self {
        case .none, .sum: 1
        case .mean: Double(shape.count)
        case .batchMean: Double(shape.rank == 0 ? 1 : shape[0])
        }
    }

    /// Losses of the elements → the output: a scalar, or the losses themselves.
    func callAsFunction(_ losses: Tensor, divisor: Double? = nil) -> Tensor {
        if self == .none { return losses }
        var total = 0.0
        for i in 0..<losses.count { total += Double(losses.pointer[i]) }
        return Tensor(scalar: Float(total / (divisor ?? self.divisor(losses.shape))))
    }

    /// The gradient with respect to something of `shape`, one value for each element of the loss: the gradient of that element's
    /// loss times `slope(element)`.
    @inline(__always)
    func gradient(_ dy: Tensor, of shape: Shape, divisor: Double? = nil, slope: (Int) -> Float) -> Tensor {
        let dx = Tensor(uninitialised: shape), out = dx.mutablePointer
        if self == .none {
            let factors = dy.pointer
            for i in 0..<dx.count { out[i] = factors[i] * slope(i) }
        } else {
            let factor = Float(Double(dy.scalar) / (divisor ?? self.divisor(shape)))
            for i in 0..<dx.count { out[i] = factor * slope(i) }
        }
        return dx
    }

    /// The gradient of the loss of element `index`.
    func factor(_ dy: Tensor, _ index: Int, divisor: Double) -> Float {
        self == .none ? dy.pointer[index] : Float(Double(dy.scalar) / divisor)
    }
}
