import TensorCore

extension Call {
    /// The same numbers in another type. Floats become integers by dropping their fraction; numbers out of range wrap around.
    func cast(_ x: GraphValue, to type: ElementType) throws -> GraphValue {
        if x.type == type { return x }
        try reserve(x.shape, type)
        if x.isTracked, type.isFloat {
            throw error(
                .unsupported,
                "a value being trained is cast to \(type.rawValue), where it has no gradient; train the graph in float32"
            )
        }
        let content: GraphValue.Content
        switch x.content {
        case .absent, .shapeless: content = x.content
        case .float(let tensor): content = Self.converted(tensor.values.map { Double($0) }, to: type, x.shape)
        case .real(let values): content = Self.converted(values, to: type, x.shape)
        case .signed(let values):
            if type.isFloat {
                content = Self.converted(values.map { Double($0) }, to: type, x.shape)
            } else if type.isSigned {
                content = .signed(values.map { type.wrap($0) })
            } else if type.isUnsigned {
                content = .unsigned(values.map { type.wrap(UInt64(bitPattern: $0)) })
            } else {
                content = .truth(values.map { $0 != 0 })
            }
        case .unsigned(let values):
            if type.isFloat {
                content = Self.converted(values.map { Double($0) }, to: type, x.shape)
            } else if type.isSigned {
                content = .signed(values.map { type.wrap(Int64(bitPattern: $0)) })
            } else if type.isUnsigned {
                content = .unsigned(values.map { type.wrap($0) })
            } else {
                content = .truth(values.map { $0 != 0 })
            }
        case .truth(let values):
            if type.isFloat {
                content = Self.converted(values.map { $0 ? 1 : 0 }, to: type, x.shape)
            } else if type.isSigned {
                content = .signed(values.map { $0 ? 1 : 0 })
            } else {
                content = .unsigned(values.map { $0 ? 1 : 0 })
            }
        }
        return GraphValue(type, x.shape, content)
    }

    private static func converted(_ values: [Double], to type: ElementType, _ shape: [Int]) -> GraphValue.Content {
        switch type {
        case .float32: .float(Tensor(values.map { Float($0) }, Shape(shape)))
        case .float64, .float16, .bfloat16: .real(type.narrowed(values))
        case .bool: .truth(values.map { $0 != 0 })
        case .uint8, .uint16, .uint32, .uint64: .unsigned(values.map { type.wrap(unsigned($0)) })
        default: .signed(values.map { type.wrap(signed($0)) })
        }
    }

    static func signed(_ value: Double) -> Int64 {
        if value.isNaN { return 0 }
        if value >= 0x1p63 { return .max }
        if value <= -0x1p63 { return .min }
        return Int64(value)
    }

    static func unsigned(_ value: Double) -> UInt64 {
        if value.isNaN { return 0 }
        if value >= 0x1p64 { return .max }
        if value < 0 { return UInt64(bitPattern: signed(value)) }
        return UInt64(value)
    }
}
