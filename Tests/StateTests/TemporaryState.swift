import Foundation
import Synchronization
import Testing

@testable import State

/// A state directory of its own for one test, deleted with it.
final class TemporaryState {
    let root: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("hidra-state-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    init(copying other: URL) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("hidra-state-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: other, to: root)
    }

    deinit {
        do {
            do {
                try FileManager.default.removeItem(at: root)
            } catch CocoaError.fileNoSuchFile {
                // A database that was just let go of removes its own -wal and -shm while the folder is walked: walk it again.
                if FileManager.default.fileExists(atPath: root.path) { try FileManager.default.removeItem(at: root) }
            }
        } catch {
            Issue.record("The test's folder \(root.path) could not be removed: \(error)")
        }
    }

    /// What a process killed at this moment leaves behind: all files, as the file system shows them.
    func crashImage() throws -> TemporaryState { try TemporaryState(copying: root) }

    func directory() throws -> StateDirectory { try StateDirectory(root: root) }

    func registry() throws -> (registry: Registry, report: StartupReport) { try Registry.open(directory()) }

    func write(_ text: String, to path: String) throws {
        let url = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func read(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(path).path).sorted()
    }
}

extension StateDirectory {
    /// A staged folder with these files.
    func stage(_ files: [String: String]) throws -> URL {
        let folder = try stage()
        for (path, text) in files {
            let url = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return folder
    }
}

extension EncoderRecord {
    static func sample(_ name: String, digest: String = "d1") -> EncoderRecord {
        EncoderRecord(
            name: name, architecture: "bert", parameters: 22_713_216, width: 384, layers: 6, maxTokens: 256,
            pooling: "mean", source: "minilm", revision: "r1", licence: "apache-2.0", digest: digest,
            created: 1_700_000_000.25)
    }
}

extension HeadRecord {
    static func sample(_ name: String, encoder: String, digest: String = "d1") -> HeadRecord {
        HeadRecord(
            name: name, encoder: encoder, encoderDigest: digest, task: "classify", kind: "linear",
            labels: ["refund", "größe \"x\"", "", "🙂"], parameters: 1540, digest: "h1", created: 1_700_000_001.5,
            metrics: ["accuracy": 0.93, "loss": .nan, "lift": .infinity], run: "run-00000001", tap: "6")
    }
}

extension Registry {
    @discardableResult
    func addSampleEncoder(
        _ name: String, digest: String = "d1", weights: String = "weights"
    ) async throws -> EncoderRecord {
        try await addEncoder(
            .sample(name, digest: digest),
            staged: directory.stage(["model.safetensors": weights, "1_Pooling/config.json": "{}"]))
    }

    @discardableResult
    func addSampleHead(_ name: String, encoder: String, weights: String = "head") async throws -> HeadRecord {
        try await addHead(.sample(name, encoder: encoder), staged: directory.stage(["head.safetensors": weights]))
    }
}

/// Runs `body` and returns the workbench error it ends in; any other end fails the test.
func workbenchError(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> WorkbenchError {
    var caught: WorkbenchError?
    do {
        try await body()
    } catch let error as WorkbenchError {
        caught = error
    }
    return try #require(caught, "no error was thrown", sourceLocation: sourceLocation)
}

/// Notes that a feature cache made, from any thread.
final class Notes: Sendable {
    private let notes = Mutex<[String]>([])

    var all: [String] { notes.withLock { $0 } }

    func add(_ note: String) { notes.withLock { $0.append(note) } }
}
