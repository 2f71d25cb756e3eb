import Glibc

/// `max(0, margin − target · (a − b))` with targets 1 (a ranks higher) or −1, element by element. Inputs a, b of one shape.
package struct MarginRankingLoss: DifferentiableOp {
    package static let name = "margin_ranking"
    package let targets: [Float]
    package let margin: Float
    package let reduction: Reduction

    package init(targets: [Float], margin: Float = 0, reduction: Reduction = .mean) {
        self.targets = targets
        self.margin = margin
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs[0].shape == inputs[1].shape && inputs[0].count == targets.count,
            "margin_ranking: a \(inputs[0].shape), b \(inputs[1].shape), \(targets.count) targets")
        let losses = broadcast(Self.name, inputs[0], inputs[1], -)
        for (i, target) in targets.enumerated() {
            let loss = margin - target * losses.pointer[i]
            losses.mutablePointer[i] = loss <= 0 ? 0 : loss
        }
        return (reduction(losses), [losses])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let losses = saved[0].pointer
        let da = reduction.gradient(gradient, of: saved[0].shape) { losses[$0] == 0 ? 0 : -targets[$0] }
        return [needs[0] ? da : nil, needs[1] ? da.map(-) : nil]
    }
}

/// `max(0, d(anchor, positive) − d(anchor, negative) + margin)` with `d(a, b) = ‖a − b + eps‖_p` over the last axis
/// (Balntas et al. 2016). `swap` takes the smaller of `d(anchor, negative)` and `d(positive, negative)`.
/// Inputs anchor, positive, negative `[…, width]`; the losses have one value a row.
package struct TripletMarginLoss: DifferentiableOp {
    package static let name = "triplet_margin"
    package let margin: Float
    package let distance: MinkowskiDistance
    package let swap: Bool
    package let reduction: Reduction

    package init(margin: Float = 1, p: Float = 2, swap: Bool = false, eps: Float = 1e-6, reduction: Reduction = .mean) {
        self.margin = margin
        distance = MinkowskiDistance(p: p, eps: eps)
        self.swap = swap
        self.reduction = reduction
    }

    /// Saved: `[rows, 3]`, the distances to the positive and the negative (anchor's, positive's).
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs[0].rank >= 1 && inputs.allSatisfy { $0.shape == inputs[0].shape },
            "triplet_margin: anchor \(inputs[0].shape), positive \(inputs[1].shape), negative \(inputs[2].shape)")
        let anchor = inputs[0].contiguous(), match = inputs[1].contiguous(), other = inputs[2].contiguous()
        let width = anchor.shape.last
        let losses = Tensor(uninitialised: Shape(Array(anchor.shape.dimensions.dropLast())))
        let distances = Tensor(uninitialised: [losses.count, 3])
        for row in 0..<losses.count {
            let (a, p, n) = (anchor.pointer + row * width, match.pointer + row * width, other.pointer + row * width)
            let positive = distance(a, p, width), direct = distance(a, n, width)
            let swapped = swap ? distance(p, n, width) : .infinity
            let out = distances.mutablePointer + row * 3
            (out[0], out[1], out[2]) = (positive, direct, swapped)
            let loss = positive - (swapped < direct ? swapped : direct) + margin
            losses.mutablePointer[row] = loss <= 0 ? 0 : loss
        }
        return (reduction(losses), [distances, losses])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let anchor = Side(inputs[0]), match = Side(inputs[1]), other = Side(inputs[2])
        let divisor = reduction.divisor(saved[1].shape)
        for row in 0..<saved[1].count where saved[1].pointer[row] != 0 {
            let factor = reduction.factor(gradient, row, divisor: divisor)
            let distances = saved[0].pointer + row * 3
            add(factor, anchor, match, row, distances[0])
            if distances[2] < distances[1] {
                add(-factor, match, other, row, distances[2])
            } else {
                add(-factor, anchor, other, row, distances[1])
            }
        }
        return [needs[0] ? anchor.gradient : nil, needs[1] ? match.gradient : nil, needs[2] ? other.gradient : nil]
    }

    /// One input and its gradient.
    private struct Side {
        let value: Tensor, gradient: Tensor

        init(_ input: Tensor) {
            value = input.contiguous()
            gradient = Tensor(repeating: 0, input.shape)
        }
    }

    private func add(_ factor: Float, _ from: Side, _ to: Side, _ row: Int, _ norm: Float) {
        let width = from.value.shape.last, start = row * width
        distance.addGradient(
            factor, norm, from.value.pointer + start, to.value.pointer + start, width,
            from.gradient.mutablePointer + start, to.gradient.mutablePointer + start)
    }
}

/// `‖a − b + eps‖_p`
package struct MinkowskiDistance: Sendable {
    package let p: Float
    package let eps: Float

    package init(p: Float, eps: Float) {
        precondition(p > 0, "distance: p is \(p), not positive")
        self.p = p
        self.eps = eps
    }

    func callAsFunction(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int) -> Float {
        var sum = 0.0
        for i in 0..<width {
            let d = Double(abs(a[i] - b[i] + eps))
            switch p {
            case 1: sum += d
            case 2: sum += d * d
            case .infinity: sum = d > sum || d.isNaN ? d : sum
            default: sum += pow(d, Double(p))
            }
        }
        switch p {
        case 1, .infinity: return Float(sum)
        case 2: return Float(sum.squareRoot())
        default: return Float(pow(sum, 1 / Double(p)))
        }
    }

    /// Adds `factor · ∂‖d‖ / ∂d` to `da` and subtracts it from `db`: `sign(d) |d|^(p − 1) / ‖d‖^(p − 1)`, nothing at 0.
    func addGradient(
        _ factor: Float, _ norm: Float, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int,
        _ da: UnsafeMutablePointer<Float>, _ db: UnsafeMutablePointer<Float>
    ) {
        if norm == 0 { return }
        for i in 0..<width {
            let d = a[i] - b[i] + eps
            let sign: Float = d > 0 ? 1 : d < 0 ? -1 : d * 0
            let slope: Float
            switch p {
            case 1: slope = sign
            case 2: slope = d / norm
            case .infinity: slope = abs(d) == norm ? sign : 0
            default: slope = sign * powf(abs(d) / norm, p - 1)
            }
            da[i] += factor * slope
            db[i] -= factor * slope
        }
    }
}
