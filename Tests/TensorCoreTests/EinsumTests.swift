import Testing

@testable import TensorCore

@Suite("Einsum")
struct EinsumTests {
    static let cases: [(equation: String, shapes: [Shape], output: Shape)] = [
        ("ij,jk->ik", [[3, 4], [4, 2]], [3, 2]), ("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]], [2, 3, 5]),
        ("bhqd,bhkd->bhqk", [[2, 3, 4, 5], [2, 3, 6, 5]], [2, 3, 4, 6]), ("i,j->ij", [[3], [4]], [3, 4]),
        ("i,i->", [[5], [5]], []), ("ij->ji", [[3, 4]], [4, 3]), ("ij->", [[3, 4]], []), ("ii->i", [[4, 4]], [4]),
        ("ii", [[4, 4]], []), ("ij,jk", [[3, 4], [4, 2]], [3, 2]), ("ba", [[2, 3]], [3, 2]),
        ("...ij,...jk->...ik", [[2, 1, 3, 4], [5, 4, 2]], [2, 5, 3, 2]), ("...d,d->...", [[2, 3, 4], [4]], [2, 3]),
        ("bi,bj,ij->b", [[2, 3], [2, 4], [3, 4]], [2]), ("a,ab,abc->abc", [[2], [2, 3], [2, 3, 4]], [2, 3, 4]),
        ("iij,jk->ik", [[3, 3, 4], [4, 2]], [3, 2]), ("ij,ij->ij", [[3, 1], [3, 4]], [3, 4]),
        (" b i , b j -> i j ", [[2, 3], [2, 4]], [3, 4]), ("i...,i->...", [[3, 2, 2], [3]], [2, 2]),
    ]

    @Test("the result equals the sum over all labels, and its gradient the slope", arguments: cases.indices)
    func equalsTheDefinition(_ index: Int) throws {
        let (equation, shapes, output) = Self.cases[index]
        let operands = shapes.enumerated().map { numbers($0.element, UInt64($0.offset + 1)) }
        let einsum = try Einsum(equation, shapes)
        let leaves = operands.map(\.tracked), actual = einsum(leaves)
        #expect(actual.shape == output, "\(equation)")
        let expected = naive(equation, operands)
        for (place, (a, e)) in zip(actual.values, expected).enumerated() {
            #expect(abs(a - e) < 1e-5, "\(equation) at \(place): \(a), expected \(e)")
        }
        // The result is linear in each operand: its value is the product of that operand with its gradient.
        let weights = numbers(output, 9)
        let value = zip(actual.values, weights.values).map(*).reduce(0, +)
        for (operand, gradient) in zip(operands, actual.gradients(for: leaves, from: weights)) {
            let product = zip(operand.values, gradient.values).map(*).reduce(0, +)
            #expect(abs(product - value) < 1e-4 * max(1, abs(value)), "\(equation): \(product), expected \(value)")
        }
    }

    static let misfits: [(equation: String, shapes: [Shape])] = [
        ("ij,jk->ik", [[3, 4], [5, 2]]), ("ij->ik", [[3, 4]]), ("ij->ii", [[3, 4]]), ("i1->i", [[3, 4]]),
        ("ij,jk->ik", [[3, 4]]), ("i->j->i", [[3]]), ("ijk->i", [[3, 4]]), ("....i->i", [[3, 4]]),
        ("ij->i.", [[3, 4]]),
        ("i...j...->ij", [[3, 4]]), ("", [[3]]), ("i>i", [[3]]),
    ]

    @Test("an equation that does not fit is refused with the equation and the shapes", arguments: misfits)
    func refusals(_ equation: String, _ shapes: [Shape]) {
        let error = #expect(throws: TensorError.self) { try Einsum(equation, shapes) }
        #expect(error?.message.contains(equation) == true && error?.message.contains("\(shapes[0])") == true)
    }

    /// Loops over every label.
    private func naive(_ equation: String, _ operands: [Tensor]) -> [Float] {
        let text = equation.filter { $0 != " " }
        var (left, right) = (text, String?.none)
        if let arrow = text.firstRange(of: "->") {
            left = String(text[..<arrow.lowerBound])
            right = String(text[arrow.upperBound...])
        }
        // The axes of "..." become digits, counted from the last.
        let widest = 3
        func expand(_ term: String, _ covered: Int) -> String {
            guard let dots = term.firstRange(of: "...") else { return term }
            let digits = (widest - covered..<widest).map(String.init).joined()
            return term[..<dots.lowerBound] + digits + term[dots.upperBound...]
        }
        var most = 0
        let terms = zip(left.split(separator: ","), operands).map { term, operand -> [Character] in
            let covered = term.contains(".") ? operand.rank - term.filter { $0 != "." }.count : 0
            most = max(most, covered)
            return Array(expand(String(term), covered))
        }
        let letters = Array(Set(terms.flatMap { $0 })).sorted()
        let implicit = letters.filter { l in terms.flatMap { $0 }.filter { $0 == l }.count == 1 }
        let result = right.map { Array(expand($0, most)) } ?? implicit
        var extents: [Character: Int] = [:]
        for (term, operand) in zip(terms, operands) {
            for (axis, label) in term.enumerated() { extents[label] = max(extents[label] ?? 1, operand.shape[axis]) }
        }
        let all = Shape(letters.map { extents[$0] ?? 1 }), output = Shape(result.map { extents[$0] ?? 1 })
        var sums = [Double](repeating: 0, count: output.count)
        for flat in 0..<all.count {
            var index: [Character: Int] = [:], rest = flat
            for label in letters.reversed() {
                index[label] = rest % (extents[label] ?? 1)
                rest /= extents[label] ?? 1
            }
            func place(_ labels: [Character], _ shape: Shape) -> Int {
                zip(labels, shape.dimensions).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : index[$1.0] ?? 0) }
            }
            sums[place(result, output)] += zip(terms, operands).reduce(1.0) {
                $0 * Double($1.1.values[place($1.0, $1.1.shape)])
            }
        }
        return sums.map { Float($0) }
    }
}
