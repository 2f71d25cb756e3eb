import CKernels

/// `a · b / (max(‖a‖, eps) · max(‖b‖, eps))` along `axis`, which the result lacks. Inputs a and b stretch to a common shape.
package struct CosineSimilarity: DifferentiableOp {
    package static let name = "cosine_similarity"
    package let axis: Int
    package let eps: Float

    /// A negative axis counts from the last.
    package init(axis: Int = -1, eps: Float = 1e-8) {
        self.axis = axis
        self.eps = eps
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (a, b) = rows(inputs), width = a.shape.last
        var dimensions = common(inputs).dimensions
        dimensions.remove(at: axis < 0 ? dimensions.count + axis : axis)
        let output = Tensor(uninitialised: Shape(dimensions))
        for row in 0..<output.count {
            let x = a.pointer + row * width, y = b.pointer + row * width
            output.mutablePointer[row] =
                ck_dot_f32(width, x, y) / (bounded(norm(x, width)) * bounded(norm(y, width)))
        }
        return (output, [output])
    }

    /// `da = (b / ‖b‖ − cos · a / ‖a‖) / ‖a‖`; where a norm is below eps it is a constant.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (a, b) = rows(inputs), width = a.shape.last
        let da = Tensor(uninitialised: a.shape), db = Tensor(uninitialised: b.shape)
        for row in 0..<saved[0].count {
            let start = row * width
            CosineSlope(cosine: saved[0].pointer[row], eps: eps).write(
                gradient.pointer[row], a.pointer + start, b.pointer + start, width, da.mutablePointer + start,
                db.mutablePointer + start)
        }
        let shape = common(inputs)
        return [needs[0] ? restored(da, shape) : nil, needs[1] ? restored(db, shape) : nil]
    }

    private func bounded(_ norm: Float) -> Float { norm < eps ? eps : norm }

    private func common(_ inputs: [Tensor]) -> Shape {
        guard let shape = inputs[0].shape.broadcast(with: inputs[1].shape), shape.rank > 0,
            (-shape.rank..<shape.rank).contains(axis)
        else {
            preconditionFailure("cosine_similarity: a \(inputs[0].shape), b \(inputs[1].shape), axis \(axis)")
        }
        return shape
    }

    /// Both inputs stretched, with `axis` last.
    private func rows(_ inputs: [Tensor]) -> (Tensor, Tensor) {
        let shape = common(inputs), order = lastOrder(shape.rank)
        return (
            inputs[0].expandedView(shape).permutedView(order).contiguous(),
            inputs[1].expandedView(shape).permutedView(order).contiguous()
        )
    }

    private func restored(_ x: Tensor, _ shape: Shape) -> Tensor {
        var inverse = lastOrder(shape.rank)
        for (position, source) in lastOrder(shape.rank).enumerated() { inverse[source] = position }
        return x.permutedView(inverse).contiguous()
    }

    private func lastOrder(_ rank: Int) -> [Int] {
        let axis = axis < 0 ? rank + axis : axis
        return (0..<rank).filter { $0 != axis } + [axis]
    }
}

/// Euclidean norm of `width` values.
func norm(_ x: UnsafePointer<Float>, _ width: Int) -> Float { ck_dot_f32(width, x, x).squareRoot() }

/// The gradient of one cosine with respect to both of its vectors.
struct CosineSlope {
    let cosine: Float
    let eps: Float

    func write(
        _ factor: Float, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int,
        _ da: UnsafeMutablePointer<Float>, _ db: UnsafeMutablePointer<Float>
    ) {
        let normA = norm(a, width), normB = norm(b, width)
        let invA = 1 / (normA < eps ? eps : normA), invB = 1 / (normB < eps ? eps : normB)
        let cross = factor * invA * invB
        let ownA = normA < eps ? 0 : factor * cosine * invA * invA
        let ownB = normB < eps ? 0 : factor * cosine * invB * invB
        for i in 0..<width {
            da[i] = cross * b[i] - ownA * a[i]
            db[i] = cross * a[i] - ownB * b[i]
        }
    }
}
