import Encoders
import State

/// Features of some inputs, in the inputs' order.
package struct Features: Sendable {
    /// Row-major `[rows, width]`; NaN in rows whose input could not be read.
    package let values: [Float]
    package let width: Int
    package let tokens: [Int]
    package let truncated: [Bool]
    /// Row → why its input could not be read. Texts always can.
    package let problems: [Int: String]
    /// Inputs found in the cache, and inputs that went through the encoder. An input that comes twice counts as a hit.
    package let hits: Int, misses: Int

    package var rows: Int { tokens.count }
    package var truncatedRows: Int { truncated.count { $0 } }

    /// Only these rows, in this order.
    func selecting(_ rows: [Int]) -> Features {
        var values: [Float] = []
        values.reserveCapacity(rows.count * width)
        for row in rows { values += self.values[row * width..<(row + 1) * width] }
        let problems = Dictionary(
            uniqueKeysWithValues: rows.enumerated().compactMap { new, old in self.problems[old].map { (new, $0) } })
        return Features(
            values: values, width: width, tokens: rows.map { tokens[$0] }, truncated: rows.map { truncated[$0] },
            problems: problems, hits: hits, misses: misses)
    }
}

/// The distinct inputs of a request, and for each of its inputs which of them it is.
struct DistinctInputs: Sendable {
    private(set) var inputs: [EncoderInput] = []
    private(set) var digests: [InputDigest] = []
    private(set) var positions: [Int] = []

    init(_ all: [EncoderInput]) {
        var index: [InputDigest: Int] = [:]
        positions.reserveCapacity(all.count)
        for input in all {
            let digest = InputDigest(of: input)
            if let position = index[digest] {
                positions.append(position)
            } else {
                index[digest] = inputs.count
                positions.append(inputs.count)
                inputs.append(input)
                digests.append(digest)
            }
        }
    }
}

/// Features of distinct inputs, as far as they are known.
struct DistinctFeatures: Sendable {
    let width: Int
    /// Row-major `[inputs, width]`
    private(set) var values: [Float]
    /// nil: not known, or the input cannot be read.
    private(set) var infos: [FeatureInfo?]
    private var problems: [Int: String] = [:]

    /// What the cache has of these inputs.
    init(_ inputs: DistinctInputs, in cache: FeatureCache, _ space: FeatureSpace, width: Int) throws {
        self.width = width
        var values = [Float](repeating: 0, count: inputs.digests.count * width)
        infos = try values.withUnsafeMutableBufferPointer {
            try cache.lookup(space, inputs.digests, width: width, into: $0)
        }
        self.values = values
    }

    /// Inputs whose features are to be computed.
    var missing: [Int] { infos.indices.filter { infos[$0] == nil } }

    mutating func set(_ index: Int, _ vector: ArraySlice<Float>, _ info: FeatureInfo) {
        values.replaceSubrange(index * width..<(index + 1) * width, with: vector)
        infos[index] = info
    }

    mutating func set(_ index: Int, problem: String) {
        values.replaceSubrange(index * width..<(index + 1) * width, with: repeatElement(.nan, count: width))
        problems[index] = problem
    }

    /// The features of all inputs of the request.
    func spread(over positions: [Int], misses: Int) -> Features {
        var all = values
        if positions.count != infos.count {
            all = []
            all.reserveCapacity(positions.count * width)
            for position in positions { all += values[position * width..<(position + 1) * width] }
        }
        var spreadProblems: [Int: String] = [:]
        if !problems.isEmpty {
            for (row, position) in positions.enumerated() { spreadProblems[row] = problems[position] }
        }
        return Features(
            values: all, width: width, tokens: positions.map { infos[$0]?.tokens ?? 0 },
            truncated: positions.map { infos[$0]?.truncated ?? false }, problems: spreadProblems,
            hits: positions.count - misses, misses: misses)
    }
}
