package import TensorCore

/// A batch of token sequences laid end to end, without padding.
package struct PackedTokens: Sendable {
    package private(set) var ids: [Int32] = []
    package private(set) var typeIDs: [Int32] = []
    /// Position of each token within its own sequence.
    package private(set) var positions: [Int32] = []
    private var lengths: [Int] = []

    package init() {}

    package mutating func append(ids: [Int32], typeIDs: [Int32]) {
        precondition(ids.count == typeIDs.count && !ids.isEmpty, "a sequence of \(ids.count) ids, \(typeIDs.count) type ids")
        self.ids += ids
        self.typeIDs += typeIDs
        positions += (0..<Int32(ids.count))
        lengths.append(ids.count)
    }

    package var offsets: SequenceOffsets { SequenceOffsets(lengths: lengths) }
}
