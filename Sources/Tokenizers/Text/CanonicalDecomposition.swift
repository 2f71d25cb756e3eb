import Foundation

/// Normalisation form D of aligned text.
///
/// The reference's crate `unicode-normalization-alignments` has the tables of Unicode 9.0: what was assigned later
/// neither decomposes nor is reordered.
enum CanonicalDecomposition {
    private static let unicodeVersion = 9

    /// Decomposes each scalar and puts runs of combining marks in canonical order.
    static func apply(to text: inout AlignedText) {
        guard text.scalars.contains(where: { $0 >= 0xC0 }) else { return }
        var output: [AlignedText.Rewrite] = []
        output.reserveCapacity(text.count + 8)
        /// Marks since the last scalar of class 0, to be sorted stably by class.
        var marks: [(class: UInt8, item: AlignedText.Rewrite)] = []
        for scalar in text.scalars {
            var consumes = 1
            for part in decomposed(scalar) {
                let item = AlignedText.Rewrite(scalar: part, consumes: consumes)
                consumes = 0
                let combiningClass = combiningClass(part)
                if combiningClass == 0 {
                    flush(&marks, into: &output)
                    output.append(item)
                } else {
                    marks.append((combiningClass, item))
                }
            }
        }
        flush(&marks, into: &output)
        text.replace(with: output)
    }

    private static func flush(
        _ marks: inout [(class: UInt8, item: AlignedText.Rewrite)], into output: inout [AlignedText.Rewrite]
    ) {
        guard !marks.isEmpty else { return }
        if marks.count > 1 {
            // Swift's sort is not documented to be stable, and equal classes must keep their order.
            let order = marks.indices.sorted { (marks[$0].class, $0) < (marks[$1].class, $1) }
            output.append(contentsOf: order.map { marks[$0].item })
        } else {
            output.append(marks[0].item)
        }
        marks.removeAll(keepingCapacity: true)
    }

    /// The full canonical decomposition of one scalar: the scalar itself where it has none.
    static func decomposed(_ scalar: UInt32) -> [UInt32] {
        switch scalar {
        case 0..<0xC0: return [scalar]
        case 0xAC00...0xD7A3:
            // Hangul syllables decompose by arithmetic (Unicode standard, section 3.12).
            let index = scalar - 0xAC00
            let parts = [0x1100 + index / 588, 0x1161 + index % 588 / 28]
            return index % 28 == 0 ? parts : parts + [0x11A7 + index % 28]
        default:
            return mayDecompose(scalar) ? table[scalar] ?? [scalar] : [scalar]
        }
    }

    private static func combiningClass(_ scalar: UInt32) -> UInt8 {
        guard scalar >= 0x300 else { return 0 }
        let combiningClass = CharacterClasses.properties(scalar).canonicalCombiningClass.rawValue
        guard combiningClass != 0, CharacterClasses.isAssigned(scalar, by: unicodeVersion) else { return 0 }
        return combiningClass
    }

    /// Decompositions of all scalars in `candidates` that have one, made on first use (2–4 ms).
    private static let table: [UInt32: [UInt32]] = {
        var table: [UInt32: [UInt32]] = [:]
        for scalar in candidates.joined() {
            guard let value = Unicode.Scalar(scalar), CharacterClasses.isAssigned(scalar, by: unicodeVersion) else {
                continue
            }
            let parts = String(value).decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            if parts != [scalar] { table[scalar] = parts }
        }
        return table
    }()

    private static func mayDecompose(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = candidates.count
        while low < high {
            let middle = (low + high) / 2
            if candidates[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < candidates.count && candidates[low].contains(scalar)
    }

    /// Where scalars with a canonical decomposition lie, in order, Hangul syllables aside. Only a hint that keeps
    /// Foundation from being asked about every ideograph: what decomposes is decided by Foundation's tables.
    static let candidates: [ClosedRange<UInt32>] = [
        0xC0...0x17E, 0x1A0...0x233, 0x340...0x344, 0x374...0x3D4, 0x400...0x477, 0x4C1...0x4F9, 0x622...0x626,
        0x6C0...0x6D3, 0x929...0x934, 0x958...0x95F, 0x9CB...0x9DF, 0xA33...0xA36, 0xA59...0xA5E, 0xB48...0xB5D,
        0xB94...0xB94, 0xBCA...0xBCC, 0xC48...0xC48, 0xCC0...0xCCB, 0xD4A...0xD4C, 0xDDA...0xDDE, 0xF43...0xFB9,
        0x1026...0x1026, 0x1B06...0x1B12, 0x1B3B...0x1B43, 0x1E00...0x2001, 0x2126...0x212B, 0x219A...0x21CF,
        0x2204...0x2289, 0x22AC...0x22AF, 0x22E0...0x22ED, 0x2329...0x232A, 0x2ADC...0x2ADC, 0x304C...0x30FE,
        0xF900...0xFAD9, 0xFB1D...0xFB4E, 0x1109A...0x110AB, 0x1112E...0x1112F, 0x1134B...0x1134C,
        0x114BB...0x114BE, 0x115BA...0x115BB, 0x1D15E...0x1D164, 0x1D1BB...0x1D1C0, 0x2F800...0x2FA1D,
    ]
}
