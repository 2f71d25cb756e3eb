/// Largest value under a window; padding counts as minus infinity, NaN wins. The gradient goes to that element, the first of equals.
/// x `[batch, channels, spatial…]`, one to three spatial axes.
package struct MaxPooling: DifferentiableOp {
    package static let name = "max_pooling"
    package let kernel: [Int]
    package let window: Window
    package let ceil: Bool

    package init(kernel: [Int], window: Window, ceil: Bool = false) {
        self.kernel = kernel
        self.window = window
        self.ceil = ceil
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (output, places) = pool(inputs[0])
        return (output, [places])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let geometry = geometry(inputs[0].shape), dx = Tensor(repeating: 0, inputs[0].shape)
        let dy = gradient.pointer, places = saved[0].pointer, out = dx.mutablePointer
        geometry.eachPlane { plane in
            let start = plane * geometry.cells, target = out + plane * geometry.plane
            for cell in start..<start + geometry.cells {
                let place = places[cell].bitPattern
                if place != UInt32.max { target[Int(place)] += dy[cell] }
            }
        }
        return [dx]
    }

    /// Flat positions in its plane of each maximum, in the output's order; −1 where nothing but padding lies under the window.
    package func indices(_ x: Tensor) -> [Int] {
        let places = pool(x.detached).places
        return (0..<places.count).map {
            let place = places.pointer[$0].bitPattern
            return place == .max ? -1 : Int(place)
        }
    }

    /// The maxima, and their positions as the bits of a tensor's elements.
    private func pool(_ input: Tensor) -> (output: Tensor, places: Tensor) {
        let geometry = geometry(input.shape), x = input.contiguous()
        precondition(geometry.plane < Int(UInt32.max), "\(Self.name): a plane of \(input.shape) is too large")
        let y = Tensor(uninitialised: geometry.output), places = Tensor(uninitialised: geometry.output)
        let source = x.pointer, target = y.mutablePointer, indices = places.mutablePointer
        geometry.eachPlane { plane in
            let values = source + plane * geometry.plane, start = plane * geometry.cells
            geometry.forEachCell { cell, z, y, x in
                var best = -Float.infinity, place = UInt32.max
                geometry.forEachElement(z, y, x) { element in
                    let value = values[element]
                    if value > best || value.isNaN || place == .max {
                        // After a NaN only another NaN is taken, as every comparison with it is false.
                        best = value
                        place = UInt32(element)
                    }
                }
                target[start + cell] = best
                indices[start + cell] = Float(bitPattern: place)
            }
        }
        return (y, places)
    }

    private func geometry(_ x: Shape) -> PoolingGeometry {
        PoolingGeometry(Self.name, x, kernel: kernel, window: window, ceil: ceil)
    }
}
