import CKernels

/// `y = (x − mean) / √(var + eps) · weight + bias` for each channel, axis 1 (Ioffe & Szegedy 2015).
///
/// In training, mean and variance (divided by n) are the batch's; otherwise they are the running ones. New running statistics come
/// from `updated`, which the layer calls: an op has no state.
/// Inputs: x `[batch, channels, …]`, then weight and bias `[channels]` or neither, then running mean and variance `[channels]`.
package struct BatchNormalisation: DifferentiableOp {
    package static let name = "batch_norm"
    package let training: Bool
    package let eps: Float

    package init(training: Bool, eps: Float = 1e-5) {
        self.training = training
        self.eps = eps
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let planes = planes(inputs), x = inputs[0].contiguous()
        let mean: Tensor, variance: Tensor
        if training {
            (mean, variance) = planes.statistics(x)
        } else {
            (mean, variance) = (inputs[inputs.count - 2].contiguous(), inputs[inputs.count - 1].contiguous())
        }
        let rstd = Tensor(uninitialised: [planes.channels])
        for channel in 0..<planes.channels {
            rstd.mutablePointer[channel] = 1 / (variance.pointer[channel] + eps).squareRoot()
        }
        let y = Tensor(uninitialised: x.shape)
        let weight = inputs.count == 5 ? inputs[1].contiguous() : nil
        let bias = inputs.count == 5 ? inputs[2].contiguous() : nil
        planes.each { channel in
            let scale = rstd.pointer[channel] * (weight?.pointer[channel] ?? 1)
            let shift = (bias?.pointer[channel] ?? 0) - mean.pointer[channel] * scale
            for start in planes.starts(channel) {
                ck_affine_f32(planes.plane, scale, shift, x.pointer + start, y.mutablePointer + start)
            }
        }
        return (y, [mean, rstd])
    }

    /// With `x̂ = (x − mean) · rstd` and `g = dy · weight`, in training `dx = rstd · (g − mean(g) − x̂ · mean(g · x̂))`; otherwise
    /// `dx = rstd · g`, `dmean = −rstd · Σ g`, `dvar = −½ rstd² · Σ g x̂`. `dweight = Σ dy · x̂`, `dbias = Σ dy`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let planes = planes(inputs), x = inputs[0].contiguous(), affine = inputs.count == 5
        let weight = affine ? inputs[1].contiguous() : nil, mean = saved[0], rstd = saved[1]
        let dx = Tensor(uninitialised: x.shape)
        let dweight = Tensor(uninitialised: [planes.channels]), dbias = Tensor(uninitialised: [planes.channels])
        let dmean = Tensor(repeating: 0, [planes.channels]), dvariance = Tensor(repeating: 0, [planes.channels])
        let n = Float(planes.batch * planes.plane)
        planes.each { channel in
            let centre = mean.pointer[channel], inverse = rstd.pointer[channel], scale = weight?.pointer[channel] ?? 1
            var sum: Float = 0, projection: Float = 0
            for start in planes.starts(channel) {
                sum += ck_sum_f32(planes.plane, gradient.pointer + start)
                projection += ck_centred_dot_f32(planes.plane, x.pointer + start, centre, gradient.pointer + start)
            }
            projection *= inverse
            dweight.mutablePointer[channel] = projection
            dbias.mutablePointer[channel] = sum
            // dx = a · dy + b · x + c
            var b: Float = 0, c: Float = 0
            let a = inverse * scale
            if training {
                b = -a * inverse * projection / n
                c = -a * sum / n - b * centre
            } else {
                dmean.mutablePointer[channel] = -a * sum
                dvariance.mutablePointer[channel] = -a * inverse * projection / 2
            }
            for start in planes.starts(channel) {
                ck_combine_f32(
                    planes.plane, a, gradient.pointer + start, b, x.pointer + start, c, dx.mutablePointer + start)
            }
        }
        return affine ? [dx, dweight, dbias, dmean, dvariance] : [dx, dmean, dvariance]
    }

    /// `(1 − momentum) · running + momentum · batch`, the batch's variance divided by n − 1. x `[batch, channels, …]`.
    package static func updated(
        runningMean: Tensor, runningVariance: Tensor, with x: Tensor, momentum: Float
    ) -> (mean: Tensor, variance: Tensor) {
        let planes = ChannelPlanes(name, x.shape)
        precondition(
            runningMean.shape == [planes.channels] && runningVariance.shape == [planes.channels],
            "\(name): x \(x.shape), running mean \(runningMean.shape), running variance \(runningVariance.shape)")
        let (mean, variance) = planes.statistics(x.detached.contiguous())
        let n = Float(planes.batch * planes.plane), unbiased = n / (n - 1)
        func blend(_ old: Tensor, _ new: Tensor, _ factor: Float) -> Tensor {
            let old = old.values
            return Tensor(
                old.indices.map { (1 - momentum) * old[$0] + momentum * (new.pointer[$0] * factor) }, new.shape)
        }
        return (blend(runningMean, mean, 1), blend(runningVariance, variance, unbiased))
    }

    private func planes(_ inputs: [Tensor]) -> ChannelPlanes {
        let planes = ChannelPlanes(Self.name, inputs[0].shape)
        precondition(
            (inputs.count == 3 || inputs.count == 5)
                && inputs.dropFirst().allSatisfy { $0.shape == [planes.channels] },
            "\(Self.name): x \(inputs[0].shape), then \(inputs.dropFirst().map(\.shape))")
        return planes
    }
}

/// `[batch, channels, …]` as a plane of neighbouring elements for each sample and channel.
struct ChannelPlanes {
    let batch: Int
    let channels: Int
    let plane: Int

    init(_ op: String, _ shape: Shape) {
        precondition(shape.rank >= 2, "\(op): x \(shape) has no channel axis")
        batch = shape[0]
        channels = shape[1]
        plane = shape.dimensions.dropFirst(2).reduce(1, *)
    }

    /// Where a channel's planes begin, one for each sample.
    func starts(_ channel: Int) -> StrideTo<Int> {
        stride(from: channel * plane, to: channel * plane + batch * channels * plane, by: max(channels * plane, 1))
    }

    /// Channels are shared out over the worker threads.
    func each(_ body: (Int) -> Void) {
        let parts = max(1, min(channels, WorkerPool.shared.threads, channels * batch * plane / 50_000))
        WorkerPool.shared.parallel(parts) { part in
            for channel in channels * part / parts..<channels * (part + 1) / parts { body(channel) }
        }
    }

    /// Mean and variance (divided by n) of each channel.
    func statistics(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
        let mean = Tensor(uninitialised: [channels]), variance = Tensor(uninitialised: [channels])
        let n = Double(batch * plane)
        each { channel in
            var sum = 0.0, squares = 0.0
            for start in starts(channel) { sum += Double(ck_sum_f32(plane, x.pointer + start)) }
            let centre = Float(sum / n)
            for start in starts(channel) {
                squares += Double(ck_centred_dot_f32(plane, x.pointer + start, centre, nil))
            }
            mean.mutablePointer[channel] = centre
            variance.mutablePointer[channel] = Float(squares / n)
        }
        return (mean, variance)
    }
}
