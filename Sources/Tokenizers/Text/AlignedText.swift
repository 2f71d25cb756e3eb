/// Text on its way through normalisation: scalars, each with the source scalar it came from.
///
/// The arrays are parallel, `[length]` each.
struct AlignedText: Sendable {
    private(set) var scalars: [UInt32]
    /// Index of the source scalar, or `unaligned`.
    private(set) var sources: [Int32]

    /// Source of a scalar that stands for nothing in the source text; its range there is empty, at 0.
    static let unaligned: Int32 = -1

    init(_ scalars: ArraySlice<UInt32>) {
        self.scalars = Array(scalars)
        sources = Array(0..<Int32(scalars.count))
    }

    private init(scalars: [UInt32], sources: [Int32]) {
        self.scalars = scalars
        self.sources = sources
    }

    var count: Int { scalars.count }
    var isASCII: Bool { scalars.allSatisfy { $0 < 0x80 } }

    /// The part of the text in `range`, with its alignment.
    func part(_ range: Range<Int>) -> AlignedText {
        AlignedText(scalars: Array(scalars[range]), sources: Array(sources[range]))
    }

    /// Source scalars that a non-empty range of this text came from: from the start of the first one's to the end of
    /// the last one's.
    func sourceRange(_ range: Range<Int>) -> Range<Int> {
        let first = sources[range.lowerBound]
        let last = sources[range.upperBound - 1]
        let start = first == Self.unaligned ? 0 : Int(first)
        let end = last == Self.unaligned ? 0 : Int(last) + 1
        return start..<max(start, end)
    }

    /// Replaces each scalar by what `body` appends, all of it aligned with that scalar; nothing appended removes it.
    mutating func rewriteEach(_ body: (_ scalar: UInt32, _ output: inout [UInt32]) -> Void) {
        var output: [UInt32] = []
        var outputSources: [Int32] = []
        output.reserveCapacity(count)
        outputSources.reserveCapacity(count)
        for (scalar, source) in zip(scalars, sources) {
            body(scalar, &output)
            while outputSources.count < output.count { outputSources.append(source) }
        }
        scalars = output
        sources = outputSources
    }

    /// One scalar of a rewritten text. `consumes` is how many scalars of the old text it takes up: 1 for a plain
    /// replacement, 0 for an insertion, which is aligned with the scalar consumed last.
    struct Rewrite {
        var scalar: UInt32
        var consumes: Int
    }

    /// Replaces the text by `rewritten`, whose items consume the old text in order, as the reference's
    /// `NormalizedString::transform` does: where an item was moved, it takes the alignment of its new place.
    mutating func replace(with rewritten: [Rewrite]) {
        var outputSources: [Int32] = []
        outputSources.reserveCapacity(rewritten.count)
        var next = 0
        for item in rewritten {
            if item.consumes == 0 {
                outputSources.append(next == 0 ? Self.unaligned : sources[next - 1])
            } else {
                outputSources.append(sources[next])
                next += item.consumes
            }
        }
        scalars = rewritten.map(\.scalar)
        sources = outputSources
    }
}
