import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import Encoders
@testable import TensorCore

@Suite("Encoders in int8")
struct Int8EncoderTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
    }

    private func cosines(_ a: Tensor, _ b: Tensor) -> [Float] { CosineSimilarity()(a, b).values }

    @Test("a text has the same bits alone and in company, and from run to run, at every tap")
    func batchInvariance() throws {
        let encoder = try TextEncoder(folder: folder.url, precision: .int8)
        let texts = ["abc def", "x", "hello there world", "", "a b c d e f g"].map(encoder.tokenize)
        for tap in 0...encoder.encoder.layers {
            let together = encoder.features(texts, tap: tap)
            #expect(encoder.features(texts, tap: tap).values == together.values)
            for (row, text) in texts.enumerated() {
                #expect(encoder.features([text], tap: tap).values == together.rows(row..<row + 1).values)
            }
        }
    }

    @Test("vectors are close to those of fp32, and tap 0 is the same", arguments: ["gelu", "relu"])
    func closeness(_ activation: String) throws {
        var configuration = TinyEncoder.configuration
        configuration["hidden_act"] = activation
        try JSONSerialization.data(withJSONObject: configuration).write(to: folder.url.appending(path: "config.json"))
        let int8 = try TextEncoder(folder: folder.url, precision: .int8), fp32 = try TextEncoder(folder: folder.url)
        #expect(int8.precision == .int8 && fp32.precision == .fp32)
        let texts = ["abc def", "x", "hello there world", "a b c d e f g"].map(fp32.tokenize)
        #expect(int8.features(texts, tap: 0).values == fp32.features(texts, tap: 0).values)
        let vectors = int8.features(texts), exact = fp32.features(texts)
        #expect(cosines(vectors, exact).allSatisfy { $0 > 0.999 })
        #expect(vectors.values != exact.values)
    }

    @Test("a quarter of the memory is packed; the embeddings stay in the file")
    func memory() throws {
        let int8 = try TextEncoder(folder: folder.url, precision: .int8).weightMemory
        let fp32 = try TextEncoder(folder: folder.url).weightMemory
        #expect(int8.mapped == fp32.mapped && int8.mapped > 0)
        #expect(int8.packed < fp32.packed * 2 / 5)
        #expect(int8.resident == int8.packed + int8.mapped)
    }

    @Test("an encoder of images is refused in int8, and says what to do")
    func images() throws {
        let images = try TemporaryFolder()
        try TinyImageEncoder.resNet.write(to: images.url)
        let error = #expect(throws: PrecisionError.self) { try EncoderFolder.load(images.url, precision: .int8) }
        #expect(error?.description == "An encoder of images cannot be computed in int8; load it in fp32.")
        #expect(try EncoderFolder.load(images.url).precision == .fp32)
    }

    @Test("an encoder given as a graph is refused in int8")
    func graphs() throws {
        let graph = try TemporaryFolder()
        try Data("anything".utf8).write(to: graph.url.appending(path: "model.onnx"))
        let error = #expect(throws: PrecisionError.self) { try EncoderFolder.load(graph.url, precision: .int8) }
        #expect(error?.description == "An encoder given as an ONNX graph cannot be computed in int8; load it in fp32.")
    }

    @Test("a matrix whose sums could overflow is refused before anything is read")
    func tooDeep() throws {
        var configuration = TinyEncoder.configuration
        configuration["intermediate_size"] = Int8Matrix.longestDepth + 1
        try JSONSerialization.data(withJSONObject: configuration).write(to: folder.url.appending(path: "config.json"))
        #expect(throws: PrecisionError.self) { try TextEncoder(folder: folder.url, precision: .int8) }
    }
}

@Suite("Golden: all-MiniLM-L6-v2 in int8", .enabled(if: MiniLM.isAvailable, "needs HIDRA_GOLDEN and the weights (HIDRA_MINILM)"))
struct GoldenInt8MiniLMTests {
    private static let encoder: Result<TextEncoder, any Error> = Result {
        try TextEncoder(folder: #require(MiniLM.folder), precision: .int8)
    }

    @Test("embeddings of 200 sentences point where the reference's do: cosines of 0.998 on average, 0.99 at least")
    func embeddings() throws {
        let encoder = try Self.encoder.get()
        let golden = try #require(Golden.cases("minilm").first { $0.name == "embeddings" })
        let features = encoder.features(try MiniLM.sentences().map(encoder.tokenize))
        let cosines = CosineSimilarity()(features, try golden.open().tensor("embeddings")).values
        let mean = cosines.reduce(0, +) / Float(cosines.count)
        #expect(mean >= 0.998 && cosines.allSatisfy { $0 >= 0.99 }, "mean \(mean), least \(cosines.min() ?? .nan)")
    }

    @Test("a text has the same bits alone, in a batch of 64 and in a shuffled batch")
    func batchInvariance() throws {
        let encoder = try Self.encoder.get()
        let texts = try MiniLM.sentences().prefix(64).map(encoder.tokenize)
        let together = encoder.features(texts)
        let order = Random.permuted(64)
        let shuffled = encoder.features(order.map { texts[$0] })
        for (position, row) in order.enumerated() {
            #expect(shuffled.rows(position..<position + 1).values == together.rows(row..<row + 1).values)
        }
        for row in stride(from: 0, to: 64, by: 7) {
            #expect(encoder.features([texts[row]]).values == together.rows(row..<row + 1).values)
        }
    }
}

extension Random {
    fileprivate static func permuted(_ count: Int) -> [Int] {
        var random = Random(seed: 3)
        return random.permutation(count)
    }
}
