/// Einstein's summation: products of tensors summed over the labels that the result leaves out, `"bij,bjk->bik"`.
///
/// Not an op of its own: it is made of permutations, sums and matrix products, operand after operand, and their gradients are its
/// gradient. Supported are explicit and implicit results, repeated labels of one operand (the diagonal), `...`, and axes of one
/// element that stretch.
package struct Einsum {
    /// A letter's scalar value, or −1, −2, … for the axes of `...` counted from the last.
    private typealias Label = Int

    private let terms: [[Label]]
    private let result: [Label]
    private let extents: [Label: Int]

    /// - Throws: `TensorError.invalidEquation` when the equation is malformed or does not fit the shapes.
    package init(_ equation: String, _ shapes: [Shape]) throws(TensorError) {
        func refusal(_ reason: String) -> TensorError {
            TensorError(
                .invalidEquation,
                "einsum \"\(equation)\" of shapes \(shapes.map { "\($0)" }.joined(separator: ", ")): \(reason)")
        }
        let sides = Einsum.sides(equation)
        guard let left = sides.first, sides.count <= 2 else { throw refusal("more than one \"->\"") }
        let inputs = left.split(separator: ",", omittingEmptySubsequences: false)
        guard inputs.count == shapes.count else { throw refusal("\(inputs.count) terms for \(shapes.count) operands") }

        var terms: [[Label]] = [], extents: [Label: Int] = [:], widest = 0
        for (term, shape) in zip(inputs, shapes) {
            let letters = term.filter { $0 != "." }.count, dots = term.filter { $0 == "." }.count
            let covered = dots == 0 ? 0 : shape.rank - letters
            guard covered >= 0, let labels = Einsum.labels(term, covered: covered), labels.count == shape.rank else {
                throw refusal("the term \"\(term)\" does not name the \(shape.rank) axes of \(shape)")
            }
            widest = max(widest, covered)
            for (axis, label) in labels.enumerated() {
                let present = extents[label] ?? 1
                guard present == shape[axis] || present == 1 || shape[axis] == 1 else {
                    throw refusal("one label has the extents \(present) and \(shape[axis])")
                }
                extents[label] = present == 1 ? shape[axis] : present
            }
            terms.append(labels)
        }
        if sides.count == 2 {
            guard let labels = Einsum.labels(Substring(sides[1]), covered: widest) else {
                throw refusal("the result \"\(sides[1])\" is malformed")
            }
            guard labels.allSatisfy({ extents[$0] != nil }), Set(labels).count == labels.count else {
                throw refusal("the result names a label twice, or one that no operand has")
            }
            result = labels
        } else {
            let all = terms.flatMap { $0 }.filter { $0 > 0 }
            let once = Set(all).filter { label in all.filter { $0 == label }.count == 1 }
            result = Array(-widest..<0) + once.sorted()
        }
        self.terms = terms
        self.extents = extents
    }

    package func callAsFunction(_ operands: [Tensor]) -> Tensor {
        precondition(operands.count == terms.count, "einsum: \(operands.count) operands for \(terms.count) terms")
        var rest = zip(operands, terms).map { simplified($0, $1) }
        var product = summed(rest.removeFirst(), keeping: needed(rest))
        while !rest.isEmpty {
            let next = rest.removeFirst()
            product = contracted(product, next, keeping: needed(rest))
        }
        return arranged(product)
    }

    private struct Factor {
        var tensor: Tensor
        var labels: [Label]
    }

    private func needed(_ later: [Factor]) -> Set<Label> { Set(result + later.flatMap(\.labels)) }

    /// One axis for each label: diagonals taken, and axes of one element that stand for longer ones left out.
    private func simplified(_ x: Tensor, _ labels: [Label]) -> Factor {
        var factor = Factor(tensor: x, labels: labels)
        for axis in labels.indices.reversed() where x.shape[axis] == 1 && extents[labels[axis]] != 1 {
            var dimensions = factor.tensor.shape.dimensions
            dimensions.remove(at: axis)
            factor.labels.remove(at: axis)
            factor.tensor = Reshape(Shape(dimensions))(factor.tensor)
        }
        for axis in factor.labels.indices.reversed() {
            guard let first = factor.labels.firstIndex(of: factor.labels[axis]), first < axis else { continue }
            factor.tensor = Diagonal(first, axis)(factor.tensor)
            factor.labels.remove(at: axis)
        }
        return factor
    }

    private func summed(_ factor: Factor, keeping: Set<Label>) -> Factor {
        let axes = factor.labels.indices.filter { !keeping.contains(factor.labels[$0]) }
        if axes.isEmpty { return factor }
        return Factor(tensor: Sum(axes)(factor.tensor), labels: factor.labels.filter(keeping.contains))
    }

    /// One batched matrix product: labels both have and need are its stack, labels both have and do not need are summed.
    private func contracted(_ a: Factor, _ b: Factor, keeping: Set<Label>) -> Factor {
        let left = summed(a, keeping: keeping.union(b.labels)), right = summed(b, keeping: keeping.union(a.labels))
        let shared = left.labels.filter(right.labels.contains)
        let stack = shared.filter(keeping.contains), depth = shared.filter { !keeping.contains($0) }
        let rows = left.labels.filter { !shared.contains($0) }, columns = right.labels.filter { !shared.contains($0) }
        let p = matrices(left, stack, rows, depth), q = matrices(right, stack, depth, columns)
        let labels = stack + rows + columns
        return Factor(tensor: Reshape(shape(labels))(MatrixProduct()(p, q)), labels: labels)
    }

    /// `[stack, rows, columns]`, or a matrix where there is no stack.
    private func matrices(_ factor: Factor, _ stack: [Label], _ rows: [Label], _ columns: [Label]) -> Tensor {
        let sorted = permuted(factor, stack + rows + columns), sizes = [rows, columns].map { shape($0).count }
        return Reshape(Shape((stack.isEmpty ? [] : [shape(stack).count]) + sizes))(sorted)
    }

    private func permuted(_ factor: Factor, _ labels: [Label]) -> Tensor {
        if labels == factor.labels { return factor.tensor }
        return Permute(
            labels.map { label in
                guard let axis = factor.labels.firstIndex(of: label) else { preconditionFailure("einsum: \(label)") }
                return axis
            })(factor.tensor)
    }

    /// The result's order of labels. A label that only ever had one element may have been left out everywhere: never by
    /// `simplified`, which keeps those.
    private func arranged(_ product: Factor) -> Tensor { permuted(summed(product, keeping: Set(result)), result) }

    private func shape(_ labels: [Label]) -> Shape { Shape(labels.map { extents[$0] ?? 1 }) }

    private static func sides(_ equation: String) -> [String] {
        let text = equation.filter { $0 != " " }
        var sides = [""]
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix("->") {
                sides.append("")
                index = text.index(index, offsetBy: 2)
            } else {
                sides[sides.count - 1].append(text[index])
                index = text.index(after: index)
            }
        }
        return sides
    }

    /// The labels of one term; nil when it has anything but letters and one `...`.
    private static func labels(_ term: Substring, covered: Int) -> [Label]? {
        var labels: [Label] = [], rest = term, hasEllipsis = false
        while let character = rest.first {
            if rest.hasPrefix("..."), !hasEllipsis {
                labels += Array(-covered..<0)
                rest = rest.dropFirst(3)
                hasEllipsis = true
            } else if let scalar = character.unicodeScalars.first, character.isASCII, character.isLetter {
                labels.append(Int(scalar.value))
                rest = rest.dropFirst()
            } else {
                return nil
            }
        }
        return labels
    }
}
