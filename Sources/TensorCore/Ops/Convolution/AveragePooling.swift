/// Mean under a window. `countsPadding` says whether padding zeros count in the divisor; what lies behind the padding (a window
/// that hangs over because of `ceil`) never does. x `[batch, channels, spatial…]`, one to three spatial axes.
package struct AveragePooling: DifferentiableOp {
    package static let name = "average_pooling"
    package let kernel: [Int]
    package let window: Window
    package let ceil: Bool
    package let countsPadding: Bool

    package init(kernel: [Int], window: Window, ceil: Bool = false, countsPadding: Bool = true) {
        self.kernel = kernel
        self.window = window
        self.ceil = ceil
        self.countsPadding = countsPadding
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (geometry(inputs[0].shape).mean(inputs[0], countsPadding: countsPadding), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [geometry(inputs[0].shape).spread(gradient, to: inputs[0].shape, countsPadding: countsPadding)]
    }

    private func geometry(_ x: Shape) -> PoolingGeometry {
        PoolingGeometry(Self.name, x, kernel: kernel, window: window, ceil: ceil)
    }
}

/// Mean over the cells of a grid of a given size: cell `i` covers `⌊i · in / out⌋ ..< ⌈(i + 1) · in / out⌉` of each axis.
/// x `[batch, channels, spatial…]` → `[batch, channels, size…]`.
package struct AdaptiveAveragePooling: DifferentiableOp {
    package static let name = "adaptive_average_pooling"
    package let size: [Int]

    package init(size: [Int]) { self.size = size }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (PoolingGeometry(Self.name, inputs[0].shape, adaptiveTo: size).mean(inputs[0], countsPadding: false), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let geometry = PoolingGeometry(Self.name, inputs[0].shape, adaptiveTo: size)
        return [geometry.spread(gradient, to: inputs[0].shape, countsPadding: false)]
    }
}

extension PoolingGeometry {
    fileprivate func mean(_ x: Tensor, countsPadding: Bool) -> Tensor {
        let x = x.contiguous(), y = Tensor(uninitialised: output)
        let source = x.pointer, target = y.mutablePointer
        eachPlane { plane in
            let values = source + plane * self.plane, means = target + plane * cells
            forEachCell { cell, z, y, x in
                var sum: Float = 0
                forEachElement(z, y, x) { sum += values[$0] }
                means[cell] = sum / divisor(z, y, x, countsPadding)
            }
        }
        return y
    }

    fileprivate func spread(_ gradient: Tensor, to shape: Shape, countsPadding: Bool) -> Tensor {
        let dx = Tensor(repeating: 0, shape)
        let source = gradient.pointer, target = dx.mutablePointer
        eachPlane { plane in
            let values = target + plane * self.plane, slopes = source + plane * cells
            forEachCell { cell, z, y, x in
                let share = slopes[cell] / divisor(z, y, x, countsPadding)
                forEachElement(z, y, x) { values[$0] += share }
            }
        }
        return dx
    }

    private func divisor(_ z: Run, _ y: Run, _ x: Run, _ countsPadding: Bool) -> Float {
        countsPadding ? Float(z.padded * y.padded * x.padded) : Float(z.count * y.count * x.count)
    }
}
