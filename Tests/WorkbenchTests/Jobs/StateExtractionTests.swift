import Encoders
import Foundation
import Scheduling
import State
import TensorCore
import TestSupport
import Testing
import Training

@testable import Workbench

@Suite("Token states of data sets")
struct StateExtractionTests {
    @Test("are the encoder's, each distinct text once, and come from the cache afterwards, beside the vectors of the same tap")
    func extraction() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        let loaded = try await workbench.encoders.encoder(named: "tiny")
        let texts = (0..<2_500).map { "ab \($0 % 1_300)".map(String.init).joined(separator: " ") }
        let inputs = texts.map { EncoderInput.text($0) }
        let first = try await workbench.extractor.states(inputs, of: loaded, tap: 1, priority: .training)
        #expect(first.misses == 1_300 && first.hits == 1_200)
        let vectors = try await workbench.extractor.features(inputs, of: loaded, tap: 1, priority: .training)
        #expect(vectors.misses == 1_300, "vectors are another space")
        let second = try await workbench.extractor.states(inputs, of: loaded, tap: 1, priority: .training)
        #expect(second.misses == 0)
        for row in [0, 7, 1_299, 1_300, 2_499] {
            let expected = try loaded.encoder.states([loaded.encoder.prepare(inputs[row])], tap: 1).values
            for features in [first, second] {
                let place = features.states.places[row], count = place.tokens * 32
                #expect(Array(features.states.chunks[place.chunk][place.start..<place.start + count]) == expected, "row \(row)")
            }
        }
        #expect(first.states.places[0] == first.states.places[1_300], "equal texts share their states")
        try await workbench.close()
    }

    @Test("of one-off questions are not kept, however many")
    func notKept() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        let loaded = try await workbench.encoders.encoder(named: "tiny"), inputs = rows(100).inputs
        let asked = try await workbench.extractor.states(inputs, of: loaded, tap: 1, priority: .bulk, keep: false)
        #expect(asked.misses > 0)
        #expect(try workbench.cache.statistics().rows == 0)
        try await workbench.close()
    }

    @Test("that would not fit into memory are refused with the numbers before anything is encoded")
    func tooLarge() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        let loaded = try await workbench.encoders.encoder(named: "tiny")
        // Three tokens of 32 numbers: 384 bytes each.
        let inputs = "abcdefghij".map { EncoderInput.text(String($0)) }
        let small = FeatureExtractor(
            compute: workbench.compute, cache: workbench.cache, budget: UnitBudget(), availableMemory: { 5_000 })
        let error = await #expect(throws: WorkbenchError.self) {
            try await small.states(inputs, of: loaded, tap: 2, priority: .training)
        }
        #expect(error?.code == .limitExceeded && error?.details["needed_bytes"] == "3840", "\(String(describing: error))")
        #expect(error?.message.contains("10 different texts (30 tokens × 32 numbers × 4 bytes)") == true)
        #expect(try workbench.cache.statistics().rows == 0)
        let enough = FeatureExtractor(
            compute: workbench.compute, cache: workbench.cache, budget: UnitBudget(), availableMemory: { 5_120 })
        #expect(try await enough.states(inputs, of: loaded, tap: 2, priority: .training).misses == 10)
        try await workbench.close()
    }
}
