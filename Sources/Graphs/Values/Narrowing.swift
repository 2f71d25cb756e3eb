/// Bringing a 64-bit result back to its declared type: integers wrap around, floats are rounded to nearest, ties to even.
extension ElementType {
    func wrap(_ value: Int64) -> Int64 {
        switch self {
        case .int8: Int64(Int8(truncatingIfNeeded: value))
        case .int16: Int64(Int16(truncatingIfNeeded: value))
        case .int32: Int64(Int32(truncatingIfNeeded: value))
        default: value
        }
    }

    func wrap(_ value: UInt64) -> UInt64 {
        switch self {
        case .uint8: UInt64(UInt8(truncatingIfNeeded: value))
        case .uint16: UInt64(UInt16(truncatingIfNeeded: value))
        case .uint32: UInt64(UInt32(truncatingIfNeeded: value))
        default: value
        }
    }

    func round(_ value: Double) -> Double {
        switch self {
        case .float32: Double(Float(value))
        case .float16: Double(Float16(value))
        case .bfloat16: Double(BrainFloat.rounded(value))
        default: value
        }
    }

    func narrowed(_ values: [Double]) -> [Double] {
        switch self {
        case .float16, .bfloat16, .float32: values.map(round)
        default: values
        }
    }

    var bits: Int { width * 8 }
}

/// bfloat16: the upper half of a float.
enum BrainFloat {
    static func bits(_ value: Double) -> UInt16 {
        // Rounding through float to odd keeps the second rounding from being decided twice.
        let single = Float(value)
        if single.isNaN { return UInt16(single.bitPattern >> 16) | 0x0040 }
        var pattern = single.bitPattern
        if single.isFinite, Double(single) != value {
            let away = abs(Double(single)) > abs(value)
            if away, pattern & 1 == 0 { pattern -= 1 } else if !away { pattern |= 1 }
        }
        let lower = pattern & 0xffff, upper = pattern >> 16
        if single.isInfinite { return UInt16(upper) }
        return UInt16(truncatingIfNeeded: lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1) ? upper + 1 : upper)
    }

    static func value(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
    static func rounded(_ value: Double) -> Float { self.value(bits(value)) }
}
