package import TensorCore

/// How far two tensors are apart, and where.
package struct Difference: CustomStringConvertible {
    package var isWithinTolerance: Bool
    package var description: String
}

/// Passes when `|actual − expected| ≤ absolute + relative · |expected|` everywhere and NaNs and infinities agree.
package func difference(
    _ actual: [Float], _ expected: [Float], absolute: Float, relative: Float
) -> Difference {
    precondition(absolute >= 0 && relative >= 0, "a tolerance is never negative")
    guard actual.count == expected.count else {
        return Difference(isWithinTolerance: false, description: "\(actual.count) values, expected \(expected.count)")
    }
    var worst = -1, worstExcess: Float = 0, largest: Float = 0
    for (index, (a, e)) in zip(actual, expected).enumerated() {
        if a == e || (a.isNaN && e.isNaN) { continue }
        let gap = abs(a - e)
        let allowed = e.isFinite ? absolute + relative * abs(e) : 0
        let excess = gap.isNaN ? .infinity : gap - allowed
        if gap > largest { largest = gap }
        if excess > 0, worst < 0 || excess > worstExcess {
            worst = index
            worstExcess = excess
        }
    }
    guard worst >= 0 else { return Difference(isWithinTolerance: true, description: "largest difference \(largest)") }
    return Difference(
        isWithinTolerance: false,
        description:
            "element \(worst): \(actual[worst]), expected \(expected[worst]), tolerance \(absolute) + \(relative) · |expected|"
    )
}

package func difference(_ actual: Tensor, _ expected: Tensor, absolute: Float, relative: Float) -> Difference {
    guard actual.shape == expected.shape else {
        return Difference(isWithinTolerance: false, description: "shape \(actual.shape), expected \(expected.shape)")
    }
    return difference(actual.values, expected.values, absolute: absolute, relative: relative)
}
