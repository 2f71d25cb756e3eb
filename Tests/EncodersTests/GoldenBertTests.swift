import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import Encoders
@testable import TensorCore

@Suite("Golden: BERT architectures", .enabled(if: Golden.has("arch"), "no reference values at HIDRA_GOLDEN"))
struct GoldenBertTests {
    static let cases = Golden.cases("arch").filter { $0.op == "BertModel" }

    @Test("hidden states of tiny random checkpoints equal the reference, at real tokens", arguments: cases)
    func hiddenStates(_ golden: GoldenCase) throws {
        let folder = golden.folder.appending(path: golden.name)
        let encoder = try EncoderRegistry.native.build(
            configuration: Data(contentsOf: folder.appending(path: "config.json")),
            weights: Safetensors(folder.appending(path: "model.safetensors")))
        let file = try Safetensors(folder.appending(path: "golden.safetensors"))
        let mask = try file.integers("attention_mask"), ids = try file.integers("input_ids")
        let types = try file.integers("token_type_ids")
        let rows = try #require(file.entries["input_ids"]).shape[0], length = ids.count / rows
        var batch = PackedTokens(), real: [Int] = []
        for row in 0..<rows {
            let tokens = (0..<length).map { row * length + $0 }.filter { mask[$0] == 1 }
            batch.append(ids: tokens.map { Int32(ids[$0]) }, typeIDs: tokens.map { Int32(types[$0]) })
            real += tokens
        }
        let states = encoder.hiddenStates(batch, taps: Set(0...encoder.layers))
        for layer in 0...encoder.layers {
            let name = "hidden_states.\(layer)"
            let (absolute, relative) = golden.tolerance(name)
            let padded = try file.tensor(name).reshapedView([rows * length, encoder.width])
            let expected = Embedding(real.map(Int32.init))(padded)
            let worst = difference(try #require(states[layer]), expected, absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
        }
        let (absolute, relative) = golden.tolerance("mean_pooled_normalised")
        let pooled = L2Normalisation()(MeanPooling(batch.offsets)(try #require(states[encoder.layers])))
        let worst = difference(pooled, try file.tensor("mean_pooled_normalised"), absolute: absolute, relative: relative)
        #expect(worst.isWithinTolerance, "\(golden.name) pooled: \(worst)")
    }
}
