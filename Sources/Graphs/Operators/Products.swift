import TensorCore

extension OperatorTable {
    static let products: [Operator] = [
        Operator("MatMul", since: 13, "T T", ["T": .numbers], widens: true) { call in
            [try call.matmul(call.input(0), call.input(1))]
        },
        Operator("Gemm", since: 13, "T T T?", ["T": .numbers], widens: true) { call in [try call.gemm()] },
        Operator("Einsum", since: 12, "T*", ["T": .numbers], widens: true) { call in
            [try call.einsum(call.string("equation", ""), call.all())]
        },
        Operator(
            "MatMulInteger", since: 10, "A B A? B?", ["A": TypeSet([.int8, .uint8]), "B": TypeSet([.int8, .uint8])],
            gradient: .no
        ) {
            call in [try call.integerProduct()]
        },
    ]
}

extension Call {
    /// `alpha · A' B' + beta · C`
    fileprivate func gemm() throws -> GraphValue {
        var a = try input(0), b = try input(1)
        try require(
            a.rank == 2 && b.rank == 2, .shapeMismatch,
            "shapes \(text(a.shape)) and \(text(b.shape)): Gemm multiplies matrices")
        let alpha = try float("alpha", 1), beta = try float("beta", 1)
        let transposeA = try flag("transA"), transposeB = try flag("transB")
        let inner = (transposeA ? a.shape[0] : a.shape[1], transposeB ? b.shape[1] : b.shape[0])
        try require(
            inner.0 == inner.1, .shapeMismatch,
            "shapes \(text(a.shape))\(transposeA ? " transposed" : "") and \(text(b.shape))\(transposeB ? " transposed" : "") do not fit: "
                + "the inner extents \(inner.0) and \(inner.1) differ")
        let shape = [transposeA ? a.shape[1] : a.shape[0], transposeB ? b.shape[0] : b.shape[1]]
        let c = optional(2)
        if let c {
            guard broadcastShape(c.shape, shape) == shape else {
                throw error(
                    .shapeMismatch, "input 2 of shape \(text(c.shape)) does not fit the product of shape \(text(shape))"
                )
            }
        }
        try reserve(shape, a.type)
        // The common case, `x Wᵀ + b`, is one op of the core.
        if let x = a.tensor, let w = b.tensor, !transposeA, transposeB, alpha == 1, shape[0] * shape[1] > 0, inner.0 > 0
        {
            if beta == 1, let bias = c?.tensor, bias.shape == [shape[1]] {
                return GraphValue(LinearProduct()(x, w, bias))
            }
            if c == nil { return GraphValue(LinearProduct()(x, w)) }
        }
        if transposeA { a = try permute(a, [1, 0]) }
        if transposeB { b = try permute(b, [1, 0]) }
        var product = try matmul(a, b)
        if alpha != 1 { product = try scaled(product, alpha) }
        guard let c else { return product }
        let addend = beta == 1 ? c : try scaled(c, beta)
        return try combine(product, addend, floats: .sum, signed: &+, unsigned: &+)
    }

    /// A value of any number type times a float.
    fileprivate func scaled(_ x: GraphValue, _ factor: Double) throws -> GraphValue {
        x.type.isFloat ? try scale(x, factor) : try cast(scale(cast(x, to: .float64), factor), to: x.type)
    }

    /// Sums of products by subscripts (NumPy's einsum): every operand is laid out over all letters, multiplied, and the letters
    /// missing from the result are summed. Two operands become one stack of matrix products.
    func einsum(_ equation: String, _ operands: [GraphValue]) throws -> GraphValue {
        let terms = try EinsumTerms(equation, ranks: operands.map(\.rank), call: self)
        var extents: [Character: Int] = [:]
        var values: [(value: GraphValue, letters: [Character])] = []
        for (operand, letters) in zip(operands, terms.inputs) {
            let (value, unique) = try diagonal(operand, letters)
            for (letter, extent) in zip(unique, value.shape) {
                let known = extents[letter] ?? 1
                try require(
                    known == extent || known == 1 || extent == 1, .shapeMismatch,
                    "shapes \(operands.map { text($0.shape) }.joined(separator: " and ")) give subscript \(letter) the extents \(known) and \(extent)"
                )
                extents[letter] = max(known, extent) == 1 ? min(known, extent) : known == 1 ? extent : known
            }
            values.append((value, unique))
        }
        for letter in terms.output where extents[letter] == nil {
            throw error(.badValue, "subscript \(letter) of the result is on no input")
        }
        var (result, letters) = values[0]
        for index in values.indices.dropFirst() {
            let later = Set(values[(index + 1)...].flatMap(\.letters)).union(terms.output)
            (result, letters) = try contract(
                result, letters, values[index].value, values[index].letters, keeping: later, extents)
        }
        let summed = letters.indices.filter { !terms.output.contains(letters[$0]) }
        if !summed.isEmpty {
            result = try reduce(result, .sum, axes: summed, keep: false)
            letters = letters.filter { terms.output.contains($0) }
        }
        return try permute(result, terms.output.map { letters.firstIndex(of: $0) ?? 0 })
    }

    /// Repeated letters of one operand name its diagonal.
    private func diagonal(_ x: GraphValue, _ letters: [Character]) throws -> (GraphValue, [Character]) {
        var unique: [Character] = [], shape: [Int] = [], strides: [Int] = []
        for (axis, stride) in rowStrides(x.shape).enumerated() {
            if let position = unique.firstIndex(of: letters[axis]) {
                try require(
                    shape[position] == x.shape[axis], .shapeMismatch,
                    "subscript \(letters[axis]) names axes of the extents \(shape[position]) and \(x.shape[axis])")
                strides[position] += stride
            } else {
                unique.append(letters[axis])
                shape.append(x.shape[axis])
                strides.append(stride)
            }
        }
        return (unique.count == letters.count ? x : try view(x, shape, strides: strides), unique)
    }

    /// The product of two operands with the letters no one needs later summed: `[batch, rows, inner] · [batch, inner, columns]`.
    private func contract(
        _ a: GraphValue, _ aLetters: [Character], _ b: GraphValue, _ bLetters: [Character],
        keeping later: Set<Character>,
        _ extents: [Character: Int]
    ) throws -> (GraphValue, [Character]) {
        let shared = aLetters.filter { bLetters.contains($0) }
        let batch = shared.filter { later.contains($0) }, inner = shared.filter { !later.contains($0) }
        let rows = aLetters.filter { !shared.contains($0) }, columns = bLetters.filter { !shared.contains($0) }
        func laidOut(_ x: GraphValue, _ own: [Character], _ order: [Character]) throws -> GraphValue {
            let ordered = try permute(x, order.map { own.firstIndex(of: $0) ?? 0 })
            return try expand(
                ordered,
                order.map { shared.contains($0) ? extents[$0] ?? 1 : ordered.shape[order.firstIndex(of: $0) ?? 0] })
        }
        let left = try laidOut(a, aLetters, batch + rows + inner),
            right = try laidOut(b, bLetters, batch + inner + columns)
        func size(_ x: GraphValue, _ range: Range<Int>) -> Int { x.shape[range].reduce(1, *) }
        let stack = size(left, 0..<batch.count), m = size(left, batch.count..<batch.count + rows.count)
        let k = size(right, batch.count..<batch.count + inner.count),
            n = size(right, batch.count + inner.count..<right.rank)
        let shape = Array(left.shape[0..<batch.count + rows.count]) + Array(right.shape[(batch.count + inner.count)...])
        try reserve(shape, a.type)
        let product = try matmul(reshape(left, [stack, m, k]), reshape(right, [stack, k, n]))
        return (try reshape(product, shape), batch + rows + columns)
    }

    /// int32 product of 8-bit matrices less their zero points.
    fileprivate func integerProduct() throws -> GraphValue {
        func centred(_ value: GraphValue, _ zero: GraphValue?, rows: Bool) throws -> GraphValue {
            let wide = try cast(value, to: .int32)
            guard let zero else { return wide }
            var point = try cast(zero, to: .int32)
            if point.rank == 1, rows, value.rank >= 2, point.count > 1 { point = try reshape(point, [point.count, 1]) }
            return try combine(wide, point, floats: .difference, signed: &-, unsigned: &-)
        }
        return try matmul(centred(input(0), optional(2), rows: true), centred(input(1), optional(3), rows: false))
    }
}

/// The subscripts of an einsum equation, its ellipses spelt out.
private struct EinsumTerms {
    let inputs: [[Character]]
    let output: [Character]

    init(_ equation: String, ranks: [Int], call: Call) throws {
        let sides = equation.filter { !$0.isWhitespace }.replacing("->", with: ">").split(
            separator: ">", omittingEmptySubsequences: false)
        let terms = (sides.first ?? "").split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        try call.require(
            sides.count <= 2 && terms.count == ranks.count, .badValue,
            "equation \"\(equation)\" does not fit \(ranks.count) inputs")
        // Axes of an ellipsis get capital Greek letters, aligned at the last.
        let unnamed = try zip(terms, ranks).map { term, rank -> Int in
            let named = term.replacing("...", with: "")
            try call.require(
                named.allSatisfy { $0.isLetter && $0.isASCII }, .badValue,
                "equation \"\(equation)\" has other subscripts than letters")
            let rest = rank - named.count
            try call.require(
                term.contains("...") ? rest >= 0 : rest == 0, .shapeMismatch,
                "equation \"\(equation)\" does not fit an input with \(rank) axes")
            return term.contains("...") ? rest : 0
        }
        let greek = Array("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠ"), most = unnamed.max() ?? 0
        try call.require(most <= greek.count, .tooLarge, "an ellipsis of \(most) axes")
        let ellipsis = Array(greek.prefix(most))
        inputs = zip(terms, unnamed).map { term, count in
            Array(term.replacing("...", with: String(ellipsis.suffix(count))))
        }
        if sides.count == 2 {
            output = Array(sides[1].replacing("...", with: String(ellipsis)))
        } else {
            let letters = inputs.joined().filter { !ellipsis.contains($0) }
            output = ellipsis + Set(letters).filter { letter in letters.filter { $0 == letter }.count == 1 }.sorted()
        }
        try call.require(
            Set(output).count == output.count, .badValue, "equation \"\(equation)\" repeats a subscript in its result")
    }
}
