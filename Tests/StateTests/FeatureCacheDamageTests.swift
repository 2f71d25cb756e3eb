import Foundation
import GRDB
import Testing

@testable import State

@Suite("Feature cache: damage")
struct FeatureCacheDamageTests {
    let state: TemporaryState
    var url: URL { state.root.appendingPathComponent("features.sqlite") }
    let rows = SampleFeatures(0..<200, width: 12)

    init() throws { state = try TemporaryState() }

    static let rowDamages = [
        "UPDATE entry SET vector = substr(vector, 1, 44) WHERE tokens = 7",
        "UPDATE entry SET vector = vector || x'00' WHERE tokens = 7",
        "UPDATE entry SET vector = zeroblob(48) WHERE tokens = 7",
        "UPDATE entry SET checksum = checksum + 1 WHERE tokens = 7",
        "UPDATE entry SET high = high + 1 WHERE tokens = 7",
        "DELETE FROM entry WHERE tokens = 7",
    ]

    @Test("A damaged row is a miss, is deleted, and can be stored again", arguments: rowDamages)
    func damagedRow(sql: String) throws {
        let cache = try FeatureCache(at: url)
        try cache.insert(.sample, rows)
        try cache.access("damaging") { pool in try pool.write { try $0.execute(sql: sql) } }
        let found = try cache.lookup(.sample, rows.digests, width: 12)
        #expect(found.infos.enumerated().filter { $0.element == nil }.map(\.offset) == [7])
        #expect(found.vector(7).allSatisfy { $0 == -1 })
        #expect(try cache.rows(in: "entry") == 199)
        #expect(try cache.rows(in: "location") == 199)
        try cache.insert(.sample, rows)
        #expect(try cache.lookup(.sample, rows.digests, width: 12).vectors == rows.vectors)
    }

    @Test("Asking with another width misses and makes room for vectors of that width")
    func otherWidth() throws {
        let cache = try FeatureCache(at: url)
        try cache.insert(.sample, rows)
        #expect(try cache.lookup(.sample, rows.digests, width: 8).infos.allSatisfy { $0 == nil })
        let narrow = SampleFeatures(0..<200, width: 8)
        try cache.insert(.sample, narrow)
        #expect(try cache.lookup(.sample, narrow.digests, width: 8).vectors == narrow.vectors)
    }

    enum FileDamage: CaseIterable {
        case garbage, truncated, empty, otherVersion, otherDatabase
    }

    @Test("A damaged file is replaced by an empty one, with a note", arguments: FileDamage.allCases)
    func damagedFile(damage: FileDamage) throws {
        let first = try FeatureCache(at: url)
        try first.insert(.sample, rows)
        try first.close()
        let data = try Data(contentsOf: url)
        switch damage {
        case .garbage: try Data((0..<data.count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }).write(to: url)
        case .truncated: try data.prefix(data.count / 2).write(to: url)
        case .empty: try Data().write(to: url)
        case .otherVersion:
            try DatabaseQueue(path: url.path).write { try $0.execute(sql: "PRAGMA user_version = 99") }
        case .otherDatabase:
            try FileManager.default.removeItem(at: url)
            try DatabaseQueue(path: url.path).write { try $0.execute(sql: "CREATE TABLE t (x)") }
        }
        let notes = Notes()
        let cache = try FeatureCache(at: url, note: notes.add)
        // An empty file is a new database to SQLite.
        #expect(notes.all.count == (damage == .empty ? 0 : 1))
        #expect(try cache.lookup(.sample, rows.digests, width: 12).infos.allSatisfy { $0 == nil })
        try cache.insert(.sample, rows)
        #expect(try cache.lookup(.sample, rows.digests, width: 12).vectors == rows.vectors)
    }

    @Test("Damage found in the middle of work becomes misses and an empty cache, not errors")
    func damagedInUse() async throws {
        let notes = Notes()
        var cache = try FeatureCache(at: url)
        let many = SampleFeatures(0..<3_000, width: 64)
        try cache.insert(.sample, many)
        try cache.close()
        var data = try Data(contentsOf: url)
        // The schema's page stays sound, so opening finds nothing.
        for index in (8 * FeatureSchema.pageSize)..<data.count { data[index] = 0x5A }
        try data.write(to: url)
        cache = try FeatureCache(at: url, note: notes.add)
        #expect(notes.all.isEmpty)
        let shared = cache
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    await onThread {
                        let found = try shared.lookup(.sample, many.digests, width: 64)
                        #expect(found.infos.allSatisfy { $0 == nil })
                    }
                }
            }
        }
        #expect(notes.all.count == 1)
        try cache.insert(.sample, many)
        #expect(try cache.lookup(.sample, many.digests, width: 64).vectors == many.vectors)
    }
}
