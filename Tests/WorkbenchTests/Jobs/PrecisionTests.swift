import Encoders
import Foundation
import Heads
import Scheduling
import State
import Testing
import TestSupport

@testable import Workbench

@Suite("Precision of encoders")
struct PrecisionTests {
    @Test("is the request's, else the encoder's, which survives a restart; a head trained in one is served in the other")
    func switching() async throws {
        let inputs: [EncoderInput] = [.text("aa bcd"), .text("cc x")]
        func before() async throws -> TemporaryFolder {
            let bench = try await Bench(), workbench = bench.workbench
            _ = try await workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(200)))
            let fp32 = try await workbench.embed(encoder: "tiny", inputs: inputs, tap: "")
            let int8 = try await workbench.embed(encoder: "tiny", inputs: inputs, tap: "", precision: .int8)
            #expect(fp32.values != int8.values)
            #expect(try await workbench.setPrecision(.int8, ofEncoder: "tiny").precision == .int8)
            #expect(try await workbench.embed(encoder: "tiny", inputs: inputs, tap: "").values == int8.values)
            #expect(try await workbench.embed(encoder: "tiny", inputs: inputs, tap: "", precision: .fp32).values == fp32.values)
            try await workbench.close()
            return bench.folder
        }
        let again = try await Bench(folder: before())
        #expect(try await again.workbench.registry.encoder(named: "tiny").precision == .int8)
        let answers = try await again.workbench.predict(heads: ["h"], columns: [inputs], top: 1)
        for (answer, expected) in zip(answers.inputs, ["a", "c"]) {
            guard case .labels(let scores) = answer[0] else { return #expect(Bool(false)) }
            #expect(scores[0].label == expected)
        }
        #expect(again.workbench.encoders.list.map(\.loaded.encoder.precision) == [.int8])
        try await again.workbench.close()
    }

    @Test("features of two precisions never mix in the cache")
    func cacheSpaces() async throws {
        let bench = try await Bench(), data = rows(40).inputs
        let fp32 = try await bench.workbench.encoders.encoder(named: "tiny", precision: .fp32)
        let int8 = try await bench.workbench.encoders.encoder(named: "tiny", precision: .int8)
        let exact = try await bench.workbench.extractor.features(data, of: fp32, tap: 2, priority: .training)
        let quantised = try await bench.workbench.extractor.features(data, of: int8, tap: 2, priority: .training)
        #expect(quantised.hits == exact.hits && quantised.misses == exact.misses && quantised.values != exact.values)
        let again = try await bench.workbench.extractor.features(data, of: fp32, tap: 2, priority: .training)
        #expect(again.misses == 0 && again.values == exact.values)
        try await bench.workbench.close()
    }

    @Test("a comparison gives one cosine for each row, close to one, and switches nothing")
    func comparison() async throws {
        let bench = try await Bench()
        let result = try await bench.workbench.comparePrecisions(encoder: "tiny", inputs: rows(60).inputs)
        #expect(result.cosines.count == 60 && result.quantile(0) > 0.98 && result.mean <= 1.000001)
        #expect(result.worst(3).map(\.cosine) == result.cosines.map(\.cosine).sorted().prefix(3).map { $0 })
        #expect(result.int8Bytes < result.fp32Bytes)
        #expect(try await bench.workbench.registry.encoder(named: "tiny").precision == .fp32)
        let empty = await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.comparePrecisions(encoder: "tiny", inputs: [])
        }
        #expect(empty?.code == .invalidData)
        try await bench.workbench.close()
    }

    @Test("an encoder that does not fit into the free memory is refused before it is loaded, with both numbers")
    func memory() async throws {
        let bench = try await Bench()
        let house = EncoderHouse(registry: bench.workbench.registry, availableMemory: { 10 << 20 })
        let error = await #expect(throws: WorkbenchError.self) { try await house.encoder(named: "tiny") }
        #expect(error?.code == .limitExceeded && error?.details["available_bytes"] == String(10 << 20))
        #expect(house.list.isEmpty)
        #expect((MemoryEstimate.available() ?? .max) > 1 << 20)
        try await bench.workbench.close()
    }

    @Test("a unit smaller than one text is refused when the encoder is loaded; one as large is not")
    func budget() async throws {
        let bench = try await Bench(budget: UnitBudget(tokens: 23))
        let error = await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.embed(encoder: "tiny", inputs: [.text("a")], tap: "")
        }
        #expect(error?.code == .invalidArgument && error?.details["needed"] == "24")
        try await bench.workbench.close()
        let enough = try await Bench(budget: UnitBudget(tokens: 24))
        #expect(try await enough.workbench.embed(encoder: "tiny", inputs: rows(9).inputs, tap: "").rows == 9)
        try await enough.workbench.close()
    }
}
