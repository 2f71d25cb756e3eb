import Encoders
import Foundation
import Graphs
import TensorCore
import Training

/// A graph that reads token states, or several inputs: its inputs are filled from batches of features.
///
/// A row's outputs never depend on what else is in its batch. In evaluation rows go through the graph with others of their own lengths,
/// so that nothing is padded. In training rows of different lengths are padded together only when the graph was seen to leave
/// the padding out of account; otherwise they are kept apart there too.
struct GraphHead {
    let network: GraphNetwork
    private let ports: HeadPorts
    private let inputs: [HeadFeatures]
    /// Positions of the inputs of states.
    private let ragged: [Int]
    /// Of those, the ones whose padding would be visible.
    private(set) var unpadded: [Int] = []

    /// Tokens that go through the graph at a time in evaluation: some tens of megabytes of states.
    private static let evaluatedTokens = 16_384

    init(_ network: GraphNetwork, _ ports: HeadPorts, _ inputs: [HeadFeatures]) {
        self.network = network
        self.ports = ports
        self.inputs = inputs
        ragged = inputs.indices.filter { inputs[$0].form == .states }
    }

    /// What its user should know.
    var note: String? {
        guard !unpadded.isEmpty else { return nil }
        let names = unpadded.map { "\"\(inputs[$0].name)\"" }.joined(separator: ", ")
        let reason =
            unpadded.contains { isMasked(inputs[$0].name) }
            ? "its outputs change with what fills a row up, in spite of the mask" : "the graph has no mask for it"
        return "Padding of \(names) would be visible: \(reason). Only rows of equal length go through the graph together."
    }

    // MARK: Running

    func callAsFunction(_ batch: FeatureBatch, dropoutSeed: UInt64?) throws -> Tensor {
        let groups = groups(batch, isTraining: dropoutSeed != nil)
        if groups.count == 1 { return try run(batch, dropoutSeed) }
        var outputs: [Tensor] = [], origin = [Int](repeating: 0, count: batch.count), row = 0
        for (index, group) in groups.enumerated() {
            // Other elements are dropped in each group.
            let seed = dropoutSeed.map { $0 &+ UInt64(index) &* 0xd1b5_4a32_d192_ed03 }
            outputs.append(try run(batch.selecting(group), seed))
            for position in group {
                origin[position] = row
                row += 1
            }
        }
        return Embedding(origin.map { Int32($0) })(Concatenate(axis: 0).apply(outputs))
    }

    /// Positions of rows that go through the graph together.
    private func groups(_ batch: FeatureBatch, isTraining: Bool) -> [[Int]] {
        let apart = isTraining ? unpadded : ragged
        guard !apart.isEmpty else { return [Array(0..<batch.count)] }
        let lengths = apart.map { batch.lengths($0) }
        var groups: [[Int]: [Int]] = [:]
        for row in 0..<batch.count { groups[lengths.map { $0[row] }, default: []].append(row) }
        return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { lengths, rows -> [[Int]] in
            guard !isTraining else { return [rows] }
            let size = max(1, Self.evaluatedTokens / max(1, lengths.reduce(0, +)))
            return stride(from: 0, to: rows.count, by: size).map { Array(rows[$0..<min($0 + size, rows.count)]) }
        }
    }

    private func run(_ batch: FeatureBatch, _ dropoutSeed: UInt64?) throws -> Tensor {
        var values: [String: GraphValue] = [:], lengths: [String: [Int]] = [:]
        for (index, input) in inputs.enumerated() {
            switch input.form {
            case .pooled: values[input.name] = GraphValue(batch.vectors(index))
            case .states:
                values[input.name] = GraphValue(batch.padded(index))
                lengths[input.name] = batch.lengths(index)
            }
        }
        return try output(values, lengths, dropoutSeed)
    }

    /// - Parameter lengths: tokens of each row, by the name of the input of states.
    private func output(
        _ values: [String: GraphValue], _ lengths: [String: [Int]], _ dropoutSeed: UInt64?
    ) throws -> Tensor {
        var values = values
        for port in ports.ports {
            switch port.role {
            case .mask(let name): values[port.name] = try Self.mask(lengths[name] ?? [], port.type)
            case .lengths(let name):
                let tokens = lengths[name] ?? []
                values[port.name] = try Self.integers(tokens, [tokens.count], port.type)
            case .vectors, .states, .none: break
            }
        }
        guard let output = try network(values, dropoutSeed: dropoutSeed).first?.value.tensor else {
            throw GraphError(.typeMismatch, "the graph's first output is not float32")
        }
        return output
    }

    private static func mask(_ lengths: [Int], _ type: ElementType) throws -> GraphValue {
        let longest = lengths.max() ?? 0
        let flags = lengths.flatMap { length in (0..<longest).map { $0 < length ? 1 : 0 } }
        return try integers(flags, [lengths.count, longest], type)
    }

    private static func integers(_ values: [Int], _ shape: [Int], _ type: ElementType) throws -> GraphValue {
        if type == .float32 { return GraphValue(Tensor(values.map { Float($0) }, Shape(shape))) }
        var bytes = Data()
        for value in values {
            switch type {
            case .bool: bytes.append(value == 0 ? 0 : 1)
            case .int32: withUnsafeBytes(of: Int32(clamping: value).littleEndian) { bytes.append(contentsOf: $0) }
            default: withUnsafeBytes(of: Int64(value).littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return try GraphValue(type: type, shape: shape, bytes: bytes)
    }

    // MARK: Probing

    /// Outputs for made-up features of so many rows, with `tokens` states each, and zeros up to `padding` more.
    private func probe(rows: Int, tokens: Int, paddedAt position: Int? = nil, padding: Int = 0) throws -> Tensor {
        var values: [String: GraphValue] = [:], lengths: [String: [Int]] = [:]
        for (index, input) in inputs.enumerated() {
            var random = Random(seed: UInt64(index), stream: "probe")
            switch input.form {
            case .pooled:
                let numbers = (0..<rows * input.width).map { _ in random.uniform() - 0.5 }
                values[input.name] = GraphValue(Tensor(numbers, [rows, input.width]))
            case .states:
                // Rows differ in length only when one is padded: the first then is, the others fill the room.
                let isPadded = index == position, extent = tokens + (isPadded ? padding : 0)
                let own = (0..<rows).map { isPadded && $0 > 0 ? extent : tokens }
                var numbers = [Float](repeating: 0, count: rows * extent * input.width)
                for row in 0..<rows {
                    for element in 0..<own[row] * input.width {
                        numbers[row * extent * input.width + element] = random.uniform() - 0.5
                    }
                }
                values[input.name] = GraphValue(Tensor(numbers, [rows, extent, input.width]))
                lengths[input.name] = own
            }
        }
        return try output(values, lengths, nil)
    }

    /// Runs the graph on made-up features: what its declarations leave open shows there.
    ///
    /// - Throws: `HeadError.invalidSettings`, `GraphError`.
    mutating func check(outputs: Int) throws {
        // Two, because a number of rows or of tokens may be built in.
        for (rows, tokens) in [(2, 3), (3, 5)] {
            let shape = try probe(rows: rows, tokens: tokens).shape
            guard shape == [rows, outputs] else {
                throw HeadError(
                    .invalidSettings,
                    "The graph makes \(shape) of \(rows) rows; the labels need [\(rows), \(outputs)]. Give its last layer \(outputs) outputs, "
                        + "and export it with symbolic dimensions for rows and tokens.")
            }
        }
        unpadded = try ragged.filter { position in
            guard isMasked(inputs[position].name) else { return true }
            let plain = try probe(rows: 1, tokens: 3).values
            let padded = try probe(rows: 2, tokens: 3, paddedAt: position, padding: 2).values.prefix(outputs)
            return !zip(plain, padded).allSatisfy { abs($0 - $1) <= 1e-4 * (1 + abs($0)) }
        }
    }

    private func isMasked(_ name: String) -> Bool {
        ports.ports.contains { $0.role == .mask(of: name) || $0.role == .lengths(of: name) }
    }
}
