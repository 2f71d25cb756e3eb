import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import Encoders
@testable import TensorCore

/// The real all-MiniLM-L6-v2 against PyTorch. The weights are not part of the reference folder: `HIDRA_MINILM` names a folder
/// with them, by default the encoder that `hidra pull minilm` registered.
enum MiniLM {
    static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["HIDRA_MINILM"] { return URL(filePath: path) }
        let home = environment["HIDRA_HOME"] ?? "\(environment["HOME"] ?? "")/.local/share/hidra"
        let folder = URL(filePath: home).appending(path: "encoders/minilm")
        return FileManager.default.fileExists(atPath: folder.appending(path: "model.safetensors").path) ? folder : nil
    }()

    static let isAvailable = folder != nil && Golden.has("minilm")

    static let encoder: Result<TextEncoder, any Error> = Result {
        try TextEncoder(folder: #require(folder))
    }

    static func sentences() throws -> [String] {
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: Golden.folder.appending(path: "minilm/sentences.json")))
        if let list = json as? [String] { return list }
        return try #require((json as? [String: Any])?["sentences"] as? [String])
    }
}

@Suite("Golden: all-MiniLM-L6-v2", .enabled(if: MiniLM.isAvailable, "needs HIDRA_GOLDEN and the weights (HIDRA_MINILM)"))
struct GoldenMiniLMTests {
    static let hiddenCases = Golden.cases("minilm").filter { $0.name.hasPrefix("hidden_states") }

    @Test("embeddings of 200 sentences equal the reference within 1e-5")
    func embeddings() throws {
        let encoder = try MiniLM.encoder.get()
        let golden = try #require(Golden.cases("minilm").first { $0.name == "embeddings" })
        let file = try golden.open()
        let texts = try MiniLM.sentences().map(encoder.tokenize)
        let features = encoder.features(texts)
        let worst = difference(features, try file.tensor("embeddings"), absolute: 1e-5, relative: 0)
        #expect(worst.isWithinTolerance, "\(worst)")

        let ids = try file.integers("input_ids"), mask = try file.integers("attention_mask")
        let length = ids.count / texts.count
        for (row, text) in texts.enumerated() {
            let expected = (0..<length).filter { mask[row * length + $0] == 1 }.map { Int32(ids[row * length + $0]) }
            #expect(text.ids == expected, "ids of sentence \(row)")
        }
    }

    @Test("hidden states of every layer equal the reference", arguments: hiddenCases)
    func hiddenStates(_ golden: GoldenCase) throws {
        let encoder = try MiniLM.encoder.get()
        let file = try golden.open()
        var batch = PackedTokens()
        let ids = try file.integers("input_ids").map(Int32.init)
        batch.append(ids: ids, typeIDs: [Int32](repeating: 0, count: ids.count))
        let states = encoder.encoder.hiddenStates(batch, taps: Set(0...6))
        for layer in 0...6 {
            let name = "hidden_states.\(layer)"
            let (absolute, relative) = golden.tolerance(name)
            let worst = difference(try #require(states[layer]), try file.tensor(name), absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
        }
    }

    @Test("a text has the same bits alone, in a batch of 64 and in a shuffled batch")
    func batchInvariance() throws {
        let encoder = try MiniLM.encoder.get()
        let texts = try MiniLM.sentences().prefix(64).map(encoder.tokenize)
        let together = encoder.features(texts)
        var random = Random(seed: 3)
        let order = random.permutation(64)
        let shuffled = encoder.features(order.map { texts[$0] })
        for (position, row) in order.enumerated() {
            #expect(shuffled.rows(position..<position + 1).values == together.rows(row..<row + 1).values)
        }
        for row in stride(from: 0, to: 64, by: 7) {
            #expect(encoder.features([texts[row]]).values == together.rows(row..<row + 1).values)
        }
    }
}
