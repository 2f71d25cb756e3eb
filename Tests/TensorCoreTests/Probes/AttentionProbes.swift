@testable import TensorCore

extension Probes {
    static let attention: [String: @Sendable () -> [Probe]] = [
        PackedAttention.name: {
            return [
                Probe(
                    PackedAttention(SequenceOffsets(lengths: [3, 1, 4]), heads: 2, width: 6),
                    [numbers([8, 6], 1), numbers([8, 6], 2), numbers([8, 6], 3)])
            ]
        }
    ]
}
