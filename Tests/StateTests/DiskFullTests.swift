import Foundation
import Testing

@testable import State

/// A file system of a few megabytes; needs the right to mount one.
private final class SmallDisk {
    let root: URL

    init(megabytes: Int) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("hidra-disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        guard try Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", root.path) == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit {
        do {
            guard try Self.run("umount", "-l", root.path) == 0 else { throw CocoaError(.fileWriteNoPermission) }
            try FileManager.default.removeItem(at: root)
        } catch {
            Issue.record("The small disk \(root.path) could not be removed: \(error)")
        }
    }

    /// Whether this process may mount one: tried once.
    static let isAvailable: Bool = {
        guard getuid() == 0 else { return false }
        do {
            _ = try SmallDisk(megabytes: 1)
            return true
        } catch {
            return false
        }
    }()

    /// Fills what is left, except for some bytes.
    func fill(leaving bytes: Int) throws {
        let free = try FileSystem.freeSpace(at: root)
        try Data(count: max(0, free - bytes)).write(to: root.appendingPathComponent("filler"))
    }

    func empty() throws { try FileManager.default.removeItem(at: root.appendingPathComponent("filler")) }

    private static func run(_ command: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

@Suite("Full disk", .enabled(if: SmallDisk.isAvailable, "mounting a small file system needs root"))
struct DiskFullTests {
    private let disk: SmallDisk
    private var home: URL { disk.root.appendingPathComponent("home") }

    init() throws { disk = try SmallDisk(megabytes: 8) }

    @Test("A head that does not fit is not there, and those before it are")
    func registry() async throws {
        let (registry, _) = try Registry.open(StateDirectory(root: home))
        defer { #expect(throws: Never.self) { try registry.close() } }
        try await registry.addSampleEncoder("minilm")
        try await registry.addSampleHead("bank", encoder: "minilm", weights: "old")
        let staged = try registry.directory.stage(["head.safetensors": "new"])
        try disk.fill(leaving: 0)
        for name in ["bank", "tone"] {
            let error = try await workbenchError {
                try await registry.replaceHead(.sample(name, encoder: "minilm"), staged: staged)
            }
            #expect(error.code == .diskFull, "\(error)")
            #expect(error.message.contains("Free some space"))
        }
        #expect(try await registry.heads().map(\.name) == ["bank"])
        try await registry.verify(.head(registry.head(named: "bank")))
        #expect(try registry.directory.names(on: .heads) == ["bank"])
        try disk.empty()
        try await registry.replaceHead(.sample("tone", encoder: "minilm"), staged: staged)
        #expect(try await registry.heads().map(\.name) == ["bank", "tone"])
    }

    @Test("A run's records survive a disk that filled up during it")
    func runs() async throws {
        let (registry, _) = try Registry.open(StateDirectory(root: home))
        defer { #expect(throws: Never.self) { try registry.close() } }
        let run = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        try await registry.addMetrics([MetricRecord(run: run.id, step: 0, name: "loss", value: 1)])
        try disk.fill(leaving: 0)
        let big = (1...20_000).map { MetricRecord(run: run.id, step: $0, name: "loss", value: 1) }
        let error = try await workbenchError { try await registry.addMetrics(big) }
        #expect(error.code == .diskFull, "\(error)")
        try disk.empty()
        #expect(try await registry.history(run: run.id).count == 1)
        try await registry.finishRun(run.id, state: .failed, message: error.message)
        #expect(try await registry.run(run.id).state == .failed)
    }

    @Test("Features that do not fit are an error, and those before them are kept")
    func features() async throws {
        let url = disk.root.appendingPathComponent("features.sqlite")
        let cache = try FeatureCache(at: url)
        let first = SampleFeatures(0..<500, width: 384)
        try cache.insert(.sample, first)
        let error = try await workbenchError {
            try cache.insert(.sample, SampleFeatures(500..<8_000, width: 384))
        }
        #expect(error.code == .diskFull, "\(error)")
        #expect(try cache.lookup(.sample, first.digests, width: 384).vectors == first.vectors)
        try cache.close()
        let reopened = try FeatureCache(at: url, note: { Issue.record("unexpected: \($0)") })
        #expect(try reopened.lookup(.sample, first.digests, width: 384).vectors == first.vectors)
        try reopened.close()
    }

    @Test("A large write is refused before it begins")
    func requireSpace() async throws {
        let directory = try StateDirectory(root: home)
        let error = try await workbenchError {
            try directory.requireSpace(bytes: 90_000_000, for: "encoder 'minilm'")
        }
        #expect(error.code == .diskFull)
        let missing = try #require(Int(error.details["missing_bytes"] ?? ""))
        #expect((90_000_000...(90_000_000 + StateDirectory.reserve)).contains(missing))
    }
}
