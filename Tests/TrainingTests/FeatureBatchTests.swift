import TensorCore
import Testing

@testable import Training

/// Rows of 2, 1, 3 and 2 tokens, width 2, in two buffers; the last row shares the first's states.
private let states = TokenStates(
    chunks: [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]],
    places: [
        .init(chunk: 0, start: 0, tokens: 2), .init(chunk: 0, start: 4, tokens: 1), .init(chunk: 1, start: 0, tokens: 3),
        .init(chunk: 0, start: 0, tokens: 2),
    ], width: 2)

@Suite("Batches of features")
struct FeatureBatchTests {
    @Test("token states are padded with zeros to the longest of the batch")
    func padding() {
        let table = FeatureTable([.states(states)])
        let batch = table.batch([2, 1, 3][...])
        #expect(batch.lengths(0) == [3, 1, 2])
        #expect(batch.padded(0).shape == [3, 3, 2])
        #expect(batch.padded(0).values == [7, 8, 9, 10, 11, 12, 5, 6, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0])
        #expect(batch.selecting([1]).padded(0).values == [5, 6])
    }

    @Test("several inputs are gathered from the same rows, also of a selection")
    func inputs() {
        let vectors = Tensor([0, 1, 2, 3, 4, 5, 6, 7], [4, 2])
        let table = FeatureTable([.vectors(vectors), .states(states)]).selecting([3, 2, 0])
        #expect(table.rows == 3)
        let batch = table.batch([1, 2][...])
        #expect(batch.count == 2 && batch.columns == 2)
        #expect(batch.vectors(0).values == [4, 5, 0, 1])
        #expect(batch.lengths(1) == [3, 2])
    }

    @Test("a feature that is no number is found with its row")
    func bad() {
        let broken = TokenStates(
            chunks: [[1, 2, .nan, 4]], places: [.init(chunk: 0, start: 0, tokens: 1), .init(chunk: 0, start: 2, tokens: 1)],
            width: 2)
        let table = FeatureTable([.vectors(Tensor([1, 2], [2, 1])), .states(broken)])
        #expect(table.firstBad([0, 1][...])?.row == 1)
        #expect(table.firstBad([0][...]) == nil)
    }
}
