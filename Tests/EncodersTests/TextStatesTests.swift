import TensorCore
import TestSupport
import Testing

@testable import Encoders

@Suite("Token states of text encoders")
struct TextStatesTests {
    @Test("have the same bits alone and in any batch, a row for each token, and are what pooling reads", arguments: [0, 1, 2])
    func states(tap: Int) throws {
        let folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
        let encoder = try TextEncoder(folder: folder.url)
        #expect(encoder.taps.map(\.hasStates) == [true, true, true])
        let inputs = try ["a", "bb c d", "", "e f g h i j k l", "x y"].map { try encoder.prepare(.text($0)) }
        let lengths = inputs.map(\.tokens), width = encoder.width
        #expect(lengths.first == 3, "special tokens are tokens")
        let together = encoder.states(inputs, tap: tap)
        #expect(together.shape == [lengths.reduce(0, +), width])
        var start = 0
        for (input, length) in zip(inputs, lengths) {
            let own = Array(together.values[start * width..<(start + length) * width])
            #expect(encoder.states([input], tap: tap).values == own)
            let pooled = encoder.pooling(Tensor(own, [length, width]), SequenceOffsets(lengths: [length]))
            #expect(try pooled.values == encoder.features([input], tap: tap).values)
            start += length
        }
    }
}
