/// Yes or no for each element of a shape. Held as 0 and 1, so that it broadcasts like any tensor.
package struct Mask {
    let ones: Tensor

    package init(_ values: [Bool], _ shape: Shape) {
        ones = Tensor(values.map { $0 ? 1 : 0 }, shape)
    }

    /// Yes where a number is not 0.
    package init(_ values: [Int], _ shape: Shape) {
        ones = Tensor(values.map { $0 == 0 ? 0 : 1 }, shape)
    }

    private init(ones: Tensor) { self.ones = ones }

    package var shape: Shape { ones.shape }

    package func reshaped(_ shape: Shape) -> Mask { Mask(ones: ones.reshapedView(shape)) }
}

/// `condition ? a : b` with broadcasting. Inputs: a, b.
package struct Where: DifferentiableOp {
    package static let name = "where"
    package let condition: Mask
    package init(_ condition: Mask) { self.condition = condition }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, condition.ones, inputs[0], inputs[1]) { $0 != 0 ? $1 : $2 }, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [
            needs[0] ? broadcast(Self.name, gradient, condition.ones) { $1 != 0 ? $0 : 0 } : nil,
            needs[1] ? broadcast(Self.name, gradient, condition.ones) { $1 != 0 ? 0 : $0 } : nil,
        ]
    }
}

/// `value` where the mask says yes, x elsewhere, with broadcasting.
package struct MaskedFill: DifferentiableOp {
    package static let name = "masked_fill"
    package let mask: Mask
    package let value: Float

    package init(_ mask: Mask, value: Float) {
        self.mask = mask
        self.value = value
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], mask.ones) { $1 != 0 ? value : $0 }, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [broadcast(Self.name, gradient, mask.ones) { $1 != 0 ? 0 : $0 }]
    }
}
