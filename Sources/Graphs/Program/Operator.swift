/// What Hidra knows of one ONNX operator. The entries lie beside their implementations in `Operators/`; `OperatorTable` joins them.
struct Operator: Sendable {
    /// One input of the operator, or the last ones when it takes any number.
    struct Input: Sendable {
        /// Name of the type constraint; inputs of one name have one type.
        let constraint: String
        let isOptional: Bool
        let isVariadic: Bool
        /// A number the operator is set up with, such as a bound or a ratio: never a weight to train.
        let isSetting: Bool
    }

    enum Gradient: String, Sendable {
        case yes
        /// Its outputs are no floats, or constant wherever they have a slope.
        case no
    }

    let name: String
    /// First version of the operator set that has it, in the form implemented here.
    let since: Int
    let inputs: [Input]
    let types: [String: TypeSet]
    let outputs: ClosedRange<Int>
    let gradient: Gradient
    /// float16 and bfloat16 are computed in double and rounded once at the end.
    let widens: Bool
    let body: @Sendable (Call) throws -> [GraphValue?]

    /// - Parameters:
    ///   - signature: a constraint for each input, with `?` for one that may be left out, `*` for any number and `!` for a setting.
    ///   - types: what each constraint allows.
    init(
        _ name: String, since: Int, _ signature: String, _ types: [String: TypeSet], outputs: ClosedRange<Int> = 1...1,
        gradient: Gradient = .yes, widens: Bool = false, body: @escaping @Sendable (Call) throws -> [GraphValue?]
    ) {
        self.name = name
        self.since = since
        self.types = types
        self.outputs = outputs
        self.gradient = gradient
        self.widens = widens
        self.body = body
        inputs = signature.split(separator: " ").map { token in
            Input(
                constraint: String(token.prefix { $0.isLetter || $0.isNumber }), isOptional: token.contains("?"),
                isVariadic: token.contains("*"), isSetting: token.contains("!"))
        }
    }

    /// The description of input `index`; nil past the last.
    func input(_ index: Int) -> Input? {
        if index < inputs.count { return inputs[index] }
        guard let last = inputs.last, last.isVariadic else { return nil }
        return last
    }

    /// Checks number and types of the inputs.
    func validate(_ call: Call) throws {
        var bound: [String: (type: ElementType, index: Int)] = [:]
        for (index, value) in call.inputs.enumerated() {
            guard let input = input(index) else {
                throw call.error(.badValue, "\(call.inputs.count) inputs; \(name) takes at most \(inputs.count)")
            }
            guard let value else {
                if input.isOptional { continue }
                throw call.error(.unknownName, "input \(index) is left out; \(name) needs it")
            }
            guard let allowed = types[input.constraint] else { continue }
            guard allowed.contains(value.type) else {
                throw call.error(
                    .typeMismatch, "input \(index) is \(value.type.rawValue); \(name) takes \(allowed.description)")
            }
            if let other = bound[input.constraint], other.type != value.type {
                throw call.error(
                    .typeMismatch,
                    "input \(index) is \(value.type.rawValue) and input \(other.index) is \(other.type.rawValue); they must be of one type"
                )
            }
            bound[input.constraint] = (value.type, index)
        }
        if let missing = inputs.indices.first(where: { $0 >= call.inputs.count && !inputs[$0].isOptional }) {
            throw call.error(.unknownName, "\(call.inputs.count) inputs; \(name) needs input \(missing) as well")
        }
    }
}

/// All operators, by name.
enum OperatorTable {
    static let all: [Operator] = [
        arithmetic, comparison, activations, products, reductions, selections, shapes, indexing, constants, convolution,
        pooling,
        normalisation, resizing, recurrent, attention, losses, control,
    ].flatMap { $0 }.sorted { $0.name < $1.name }

    static let byName: [String: Operator] = Dictionary(all.map { ($0.name, $0) }) { first, _ in
        preconditionFailure("two entries for \(first.name)")
    }

    /// The supported operator whose name is nearest to `name`.
    static func nearest(to name: String) -> String {
        let known: [String: String] = [
            "QLinearMatMul": "MatMul", "QLinearConv": "Conv", "ConvInteger": "Conv", "MatMulInteger": "MatMul",
            "RandomNormal": "Constant", "RandomUniform": "Constant", "RandomNormalLike": "Dropout",
            "RandomUniformLike": "Dropout", "Bernoulli": "Dropout", "Multinomial": "ArgMax",
            "MaxUnpool": "ScatterElements",
            "SequenceAt": "Gather", "SequenceConstruct": "Concat", "SplitToSequence": "Split",
            "ConcatFromSequence": "Concat",
            "GridSample": "Resize", "RoiAlign": "Resize", "LinearAttention": "Attention", "FlexAttention": "Attention",
            "QuantizeLinear": "Cast", "DequantizeLinear": "Cast", "DynamicQuantizeLinear": "Cast", "Unique": "TopK",
        ]
        if let substitute = known[name] { return substitute }
        let lower = name.lowercased()
        if lower.count >= 4, let longer = all.first(where: { $0.name.lowercased().hasPrefix(lower) }) {
            return longer.name
        }
        return all.min { distance($0.name.lowercased(), lower) < distance($1.name.lowercased(), lower) }?.name
            ?? "Identity"
    }

    /// Levenshtein's distance, of at most 64 characters.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(64)), b = Array(b.utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = x == y ? diagonal : min(diagonal, above, row[j]) + 1
                diagonal = above
            }
        }
        return row[b.count]
    }
}
