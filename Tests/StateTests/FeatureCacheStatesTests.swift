import Encoders
import Foundation
import GRDB
import Testing

@testable import State

/// Token states of texts of one to nine tokens.
private struct SampleStates {
    let digests: [InputDigest]
    let infos: [FeatureInfo]
    let width: Int
    let values: [Float]

    init(_ rows: Range<Int>, width: Int) {
        self.width = width
        digests = rows.map { InputDigest(text: "text \($0)") }
        infos = rows.map { FeatureInfo(tokens: 1 + $0 * 7 % 9, truncated: $0 % 5 == 0) }
        values = zip(rows, infos).flatMap { row, info in
            (0..<info.tokens * width).map { Float(row) + Float($0) / 1024 }
        }
    }

    func states(_ row: Int) -> [Float] {
        let start = infos[..<row].reduce(0) { $0 + $1.tokens } * width
        return Array(values[start..<start + infos[row].tokens * width])
    }

    func insert(into cache: FeatureCache, _ space: FeatureSpace = .sample) throws {
        try values.withUnsafeBufferPointer {
            try cache.insertStates(space, digests, infos: infos, width: width, states: $0)
        }
    }
}

@Suite("Feature cache, token states")
struct FeatureCacheStatesTests {
    let state: TemporaryState
    var url: URL { state.root.appendingPathComponent("features.sqlite") }

    init() throws { state = try TemporaryState() }

    @Test("Rows of any number of tokens are found bit for bit, also by the next process", arguments: [1, 32, 768])
    func roundTrip(width: Int) throws {
        let rows = SampleStates(0..<200, width: width)
        let first = try FeatureCache(at: url)
        try rows.insert(into: first)
        try rows.insert(into: first)
        #expect(try first.statistics().rows == 200, "what is there is not stored twice")
        try first.close()
        let cache = try FeatureCache(at: url)
        let wanted = [rows.digests[7], InputDigest(text: "never seen"), rows.digests[3], rows.digests[7]] + rows.digests
        let found = try cache.lookupStates(.sample, wanted, width: width)
        for (index, digest) in wanted.enumerated() {
            guard let row = rows.digests.firstIndex(of: digest) else {
                #expect(found.infos[index] == nil)
                continue
            }
            let info = try #require(found.infos[index]), start = found.starts[index]
            #expect(info == rows.infos[row])
            let values = found.values[start..<start + info.tokens * width]
            #expect(values.map(\.bitPattern) == rows.states(row).map(\.bitPattern), "row \(row)")
        }
    }

    @Test(
        "A row that is not what was stored is a miss, and can be stored again",
        arguments: [
            "UPDATE entry SET tokens = tokens + 1", "UPDATE entry SET vector = substr(vector, 1, length(vector) - 4)",
            "UPDATE entry SET checksum = checksum + 1", "UPDATE entry SET tokens = 4611686018427387904",
            "UPDATE entry SET tokens = 0", "UPDATE entry SET tokens = -1",
        ])
    func damaged(sql: String) throws {
        let cache = try FeatureCache(at: url), rows = SampleStates(0..<20, width: 8)
        try rows.insert(into: cache)
        try cache.access("damaging") { pool in try pool.write { try $0.execute(sql: sql) } }
        #expect(try cache.lookupStates(.sample, rows.digests, width: 8).infos.allSatisfy { $0 == nil })
        try rows.insert(into: cache)
        #expect(try cache.lookupStates(.sample, rows.digests, width: 8).infos == rows.infos)
    }

    @Test("The file keeps its bound, and what was used last stays")
    func bounded() throws {
        let limit = 8 << 20, cache = try FeatureCache(at: url, limit: limit)
        for start in stride(from: 0, to: 1_500, by: 100) {
            try SampleStates(start..<start + 100, width: 384).insert(into: cache)
            #expect(try cache.statistics().bytes <= limit + limit / 8)
        }
        let last = SampleStates(1_400..<1_500, width: 384)
        #expect(try cache.lookupStates(.sample, last.digests, width: 384).infos == last.infos)
        let first = SampleStates(0..<100, width: 384)
        #expect(try cache.lookupStates(.sample, first.digests, width: 384).infos.contains { $0 == nil })
    }
}

@Suite("Heads of several inputs in the registry")
struct SeveralInputsTests {
    private func record(_ encoders: [String]) -> HeadRecord {
        var head = HeadRecord.sample("both", encoder: encoders[0])
        head.inputs = encoders.enumerated().map { index, encoder in
            HeadInput(
                name: "input \(index)", encoder: encoder, encoderDigest: "d1", tap: "6", form: .states,
                column: "message")
        }
        return head
    }

    @Test("A head keeps its inputs over a restart, and over the loss of the database")
    func restart() async throws {
        let state = try TemporaryState(), directory = try StateDirectory(root: state.root)
        let registry = try Registry.open(directory).registry
        try await registry.addSampleEncoder("one")
        try await registry.addSampleEncoder("two")
        let head = try await registry.addHead(
            record(["one", "two"]), staged: directory.stage(["head.onnx": "graph"]))
        #expect(head.columns == ["message"] && head.reads.map(\.encoder) == ["one", "two"])
        try registry.close()
        let again = try Registry.open(directory).registry
        #expect(try await again.head(named: "both").inputs == head.inputs)
        #expect(try await again.heads(of: "two").map(\.name) == ["both"])
        try again.close()
        for suffix in ["", "-wal", "-shm"] {
            let file = state.root.appendingPathComponent("registry.sqlite\(suffix)")
            if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
        }
        let rebuilt = try Registry.open(directory).registry
        #expect(try await rebuilt.head(named: "both").inputs == head.inputs)
        try rebuilt.close()
    }

    @Test("Every encoder it reads must be there when it is added, and cannot be removed without it")
    func encoders() async throws {
        let state = try TemporaryState(), directory = try StateDirectory(root: state.root)
        let registry = try Registry.open(directory).registry
        try await registry.addSampleEncoder("one")
        let missing = try await workbenchError {
            try await registry.addHead(record(["one", "two"]), staged: directory.stage(["head.onnx": "graph"]))
        }
        #expect(missing.code == .notFound)
        try await registry.addSampleEncoder("two")
        try await registry.addHead(record(["one", "two"]), staged: directory.stage(["head.onnx": "graph"]))
        let used = try await workbenchError { _ = try await registry.removeEncoder(named: "two", withHeads: false) }
        #expect(used.code == .conflict && used.details["heads"] == "both")
        #expect(try await registry.removeEncoder(named: "two", withHeads: true).names == ["both", "two"])
        try registry.close()
    }
}
