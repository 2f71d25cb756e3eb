import Foundation
import GRDB
import Testing

@testable import State

@Suite("Feature cache: size")
struct FeatureCacheBoundTests {
    let state: TemporaryState
    var url: URL { state.root.appendingPathComponent("features.sqlite") }
    let width = 96

    init() throws { state = try TemporaryState() }

    private func fileSize() throws -> Int { try FileSystem.size(ofFile: url) }

    @Test("The file stays below its limit however much is stored", arguments: [16, 96, 1024])
    func bounded(width: Int) throws {
        let limit = 2 << 20
        let cache = try FeatureCache(at: url, limit: limit)
        let batch = 160_000 / FeatureSchema.rowBytes(width: width)
        for round in 0..<40 {
            try cache.insert(.sample, SampleFeatures(round * batch..<(round + 1) * batch, width: width))
            let bytes = try cache.statistics().bytes
            #expect(bytes <= limit, "round \(round)")
        }
        let kept = try cache.statistics()
        #expect(
            kept.rows * FeatureSchema.rowBytes(width: width) > limit / 2, "\(kept.rows) rows: most of the room is used")
        let latest = SampleFeatures(39 * batch..<40 * batch, width: width)
        #expect(try cache.lookup(.sample, latest.digests, width: width).vectors == latest.vectors)
        let oldest = SampleFeatures(0..<batch, width: width)
        #expect(try cache.lookup(.sample, oldest.digests, width: width).infos.allSatisfy { $0 == nil })
        try cache.close()
        #expect(try fileSize() <= limit)
    }

    @Test("What is used stays, what is not used goes", arguments: [false, true])
    func leastRecentlyUsed(restarting: Bool) throws {
        let limit = 2 << 20
        var cache = try FeatureCache(at: url, limit: limit)
        let used = SampleFeatures(0..<500, width: width)
        try cache.insert(.sample, used)
        let unused = SampleFeatures(10_000..<10_500, width: width)
        var other = FeatureSpace.sample
        other.tap = "5"
        try cache.insert(other, unused)
        for round in 1..<30 {
            #expect(
                try cache.lookup(.sample, used.digests, width: width).infos.allSatisfy { $0 != nil }, "round \(round)")
            if restarting {
                try cache.close()
                cache = try FeatureCache(at: url, limit: limit)
            }
            // A third space fills the file.
            var filler = FeatureSpace.sample
            filler.tap = "4"
            try cache.insert(filler, SampleFeatures(round * 500..<(round + 1) * 500, width: width))
        }
        #expect(try cache.lookup(.sample, used.digests, width: width).vectors == used.vectors)
        #expect(try cache.lookup(other, unused.digests, width: width).infos.allSatisfy { $0 == nil })
    }

    @Test("A lowered limit takes effect with the next insert")
    func loweredLimit() throws {
        var cache = try FeatureCache(at: url)
        try cache.insert(.sample, SampleFeatures(0..<8_000, width: width))
        try cache.close()
        let before = try fileSize()
        cache = try FeatureCache(at: url, limit: 1 << 20)
        try cache.insert(.sample, SampleFeatures(8_000..<8_010, width: width))
        try cache.close()
        #expect(before > 3 << 20)
        #expect(try fileSize() <= 1 << 20)
    }

    @Test("Removing weights removes their spaces only, and shrinks the file")
    func removesSpaces() throws {
        let cache = try FeatureCache(at: url)
        let kept = SampleFeatures(0..<100, width: width)
        var other = FeatureSpace.sample
        other.weights = "w2"
        try cache.insert(other, kept)
        for tap in ["6", "5"] {
            var space = FeatureSpace.sample
            space.tap = tap
            try cache.insert(space, SampleFeatures(0..<3_000, width: width))
        }
        let before = try cache.statistics()
        try cache.removeSpaces(weights: "w1")
        let after = try cache.statistics()
        #expect(before.spaces == 3 && after.spaces == 1)
        #expect(after.rows == 100)
        #expect(after.bytes < before.bytes / 8, "\(before.bytes) → \(after.bytes)")
        #expect(try cache.lookup(other, kept.digests, width: width).vectors == kept.vectors)
        let orphans = try cache.rows(in: "location")
        #expect(orphans == 100)
        try cache.insert(.sample, kept)
        #expect(try cache.lookup(.sample, kept.digests, width: width).vectors == kept.vectors)
    }

    @Test("Removing the only weights leaves an empty, working cache")
    func removesEverything() throws {
        let cache = try FeatureCache(at: url, note: { Issue.record("unexpected: \($0)") })
        let rows = SampleFeatures(0..<3_000, width: width)
        try cache.insert(.sample, rows)
        try cache.removeSpaces(weights: "w1")
        let empty = try cache.statistics()
        #expect(empty.rows == 0 && empty.spaces == 0 && empty.bytes < 200_000)
        #expect(try cache.lookup(.sample, rows.digests, width: width).infos.allSatisfy { $0 == nil })
        try cache.insert(.sample, rows)
        #expect(try cache.lookup(.sample, rows.digests, width: width).vectors == rows.vectors)
    }

    @Test("Counting segments, locations and entries agrees after evictions")
    func consistent() throws {
        let cache = try FeatureCache(at: url, limit: 1 << 20)
        for round in 0..<20 {
            try cache.insert(.sample, SampleFeatures(round * 400..<round * 400 + 700, width: width))
        }
        let entries = try cache.rows(in: "entry")
        #expect(try cache.rows(in: "location") == entries)
        #expect(try cache.statistics().rows == entries)
    }
}

extension FeatureCache {
    func rows(in table: String) throws -> Int? {
        try access("counting") { pool in try pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") } }
            .flatMap { $0 }
    }
}
