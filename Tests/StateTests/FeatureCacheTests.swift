import Foundation
import GRDB
import Testing

@testable import State

@Suite("Feature cache")
struct FeatureCacheTests {
    let state: TemporaryState
    var url: URL { state.root.appendingPathComponent("features.sqlite") }

    init() throws { state = try TemporaryState() }

    @Test(
        "What was stored is found, bit for bit, in any order, with repetitions and misses",
        arguments: [1, 7, 384, 5000])
    func roundTrip(width: Int) throws {
        let cache = try FeatureCache(at: url)
        let rows = SampleFeatures(0..<300, width: width)
        try cache.insert(.sample, rows)
        var wanted = rows.digests.shuffled()
        wanted.append(wanted[3])
        wanted.insert(InputDigest(text: "never seen"), at: 100)
        let found = try cache.lookup(.sample, wanted, width: width)
        for (index, digest) in wanted.enumerated() {
            guard let row = rows.digests.firstIndex(of: digest) else {
                #expect(found.infos[index] == nil)
                #expect(found.vector(index).allSatisfy { $0 == -1 }, "the row of a miss is left alone")
                continue
            }
            #expect(found.infos[index] == rows.infos[row])
            #expect(found.vector(index).map(\.bitPattern) == rows.vector(row).map(\.bitPattern))
        }
        let statistics = try cache.statistics()
        #expect(statistics.rows == 300 && statistics.hits == 301 && statistics.misses == 1)
    }

    @Test("Few inputs are found among many stored ones, and many among few")
    func bothSearches() throws {
        let cache = try FeatureCache(at: url)
        let rows = SampleFeatures(0..<2_000, width: 4)
        try cache.insert(.sample, rows)
        for count in [1, 63, 64, 100, 500, 2_000] {
            let some = Array(rows.digests.shuffled().prefix(count))
            let found = try cache.lookup(.sample, some, width: 4)
            #expect(found.infos.allSatisfy { $0 != nil }, "\(count)")
            for index in some.indices {
                let row = try #require(rows.digests.firstIndex(of: some[index]))
                #expect(found.vector(index) == rows.vector(row))
            }
        }
    }

    @Test("A vector is found only in its own space")
    func spaces() throws {
        let cache = try FeatureCache(at: url)
        let rows = SampleFeatures(0..<10, width: 8)
        try cache.insert(.sample, rows)
        var others = [FeatureSpace](repeating: .sample, count: 4)
        others[0].weights = "w2"
        others[1].tap = "5/mean"
        others[2].preprocessing = "t128"
        others[3].precision = "int8"
        for (index, other) in others.enumerated() {
            #expect(try cache.lookup(other, rows.digests, width: 8).infos.allSatisfy { $0 == nil })
            try cache.insert(other, SampleFeatures(0..<10, width: 8, seed: Float(index + 1)))
        }
        #expect(try cache.lookup(.sample, rows.digests, width: 8).vectors == rows.vectors)
        #expect(try cache.lookup(others[2], rows.digests, width: 8).vectors != rows.vectors)
        #expect(try cache.statistics().spaces == 5)
    }

    @Test("Storing an input again, even twice in one call, changes nothing")
    func insertsOnce() throws {
        let cache = try FeatureCache(at: url)
        let rows = SampleFeatures(0..<10, width: 4)
        try cache.insert(.sample, rows)
        var again = SampleFeatures(0..<20, width: 4, seed: 9)
        again.digests[19] = again.digests[18]
        try cache.insert(.sample, again)
        let found = try cache.lookup(.sample, again.digests, width: 4)
        #expect(Array(found.vectors[..<40]) == rows.vectors)
        #expect(found.vector(18) == again.vector(18))
        #expect(found.vector(19) == again.vector(18), "the first of the two counts")
        #expect(try cache.statistics().rows == 19)
    }

    @Test("A restart and a killed process keep what was stored")
    func survives() throws {
        let rows = SampleFeatures(0..<1_500, width: 16)
        let cache = try FeatureCache(at: url)
        try cache.insert(.sample, rows)
        let image = try state.crashImage()
        try cache.close()
        for root in [state.root, image.root] {
            let reopened = try FeatureCache(
                at: root.appendingPathComponent("features.sqlite"), note: { Issue.record("unexpected: \($0)") })
            #expect(try reopened.lookup(.sample, rows.digests, width: 16).vectors == rows.vectors)
            // Segments are continued, not begun anew.
            try reopened.insert(.sample, SampleFeatures(1_500..<1_600, width: 16))
            #expect(try reopened.statistics().rows == 1_600)
            try reopened.close()
        }
        #expect(try cache.lookup(.sample, rows.digests, width: 16).infos.allSatisfy { $0 == nil }, "closed")
        try cache.insert(.sample, rows)
    }

    @Test("Readers and writers on many threads see whole rows only")
    func concurrentUse() async throws {
        let cache = try FeatureCache(at: url)
        let width = 32
        let all = SampleFeatures(0..<4_000, width: width)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<2 {
                group.addTask {
                    await onThread {
                        for start in stride(from: writer * 2_000, to: (writer + 1) * 2_000, by: 100) {
                            try cache.insert(.sample, SampleFeatures(start..<start + 100, width: width))
                        }
                    }
                }
            }
            for reader in 0..<4 {
                group.addTask {
                    await onThread {
                        var hits = 0
                        for start in stride(from: reader * 100, to: 4_000, by: 400) {
                            let digests = Array(all.digests[start..<start + 100])
                            let found = try cache.lookup(.sample, digests, width: width)
                            for index in digests.indices where found.infos[index] != nil {
                                hits += 1
                                #expect(found.vector(index) == all.vector(start + index))
                                #expect(found.infos[index] == all.infos[start + index])
                            }
                        }
                        #expect(hits <= 1_000)
                    }
                }
            }
        }
        #expect(try cache.lookup(.sample, all.digests, width: width).vectors == all.vectors)
        #expect(try cache.statistics().rows == 4_000)
    }

    @Test("No inputs are no trouble")
    func empty() throws {
        let cache = try FeatureCache(at: url)
        try cache.insert(.sample, SampleFeatures(0..<0, width: 4))
        #expect(try cache.lookup(.sample, [], width: 4).infos.isEmpty)
        try cache.flush()
        try cache.removeSpaces(weights: "unknown")
    }
}

/// Runs blocking work on a thread of its own, as the daemon does; an error fails the test.
func onThread(_ body: @escaping @Sendable () throws -> Void) async {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            do {
                try body()
            } catch {
                Issue.record(error)
            }
            continuation.resume()
        }
    }
}

/// Rows with digests, infos and vectors that follow from their numbers.
struct SampleFeatures {
    var digests: [InputDigest]
    var infos: [FeatureInfo]
    var vectors: [Float]
    let width: Int

    init(_ numbers: Range<Int>, width: Int, seed: Float = 0) {
        self.width = width
        digests = numbers.map { InputDigest(text: "input \($0)") }
        infos = numbers.map { FeatureInfo(tokens: $0 % 512, truncated: $0 % 5 == 0) }
        vectors = numbers.flatMap { number in
            (0..<width).map { Float(number) + Float($0) * 0.001 + seed }
        }
    }

    func vector(_ row: Int) -> ArraySlice<Float> { vectors[row * width..<(row + 1) * width] }
}

/// What a lookup gave; rows of misses hold -1.
struct FoundFeatures {
    var infos: [FeatureInfo?]
    var vectors: [Float]
    let width: Int

    func vector(_ row: Int) -> ArraySlice<Float> { vectors[row * width..<(row + 1) * width] }
}

extension FeatureSpace {
    static let sample = FeatureSpace(weights: "w1", tap: "6/mean/l2", preprocessing: "t256", precision: "fp32")
}

extension FeatureCache {
    func insert(_ space: FeatureSpace, _ rows: SampleFeatures) throws {
        try rows.vectors.withUnsafeBufferPointer {
            try insert(space, rows.digests, infos: rows.infos, width: rows.width, vectors: $0)
        }
    }

    func lookup(_ space: FeatureSpace, _ digests: [InputDigest], width: Int) throws -> FoundFeatures {
        var vectors = [Float](repeating: -1, count: digests.count * width)
        let infos = try vectors.withUnsafeMutableBufferPointer { try lookup(space, digests, width: width, into: $0) }
        return FoundFeatures(infos: infos, vectors: vectors, width: width)
    }
}
