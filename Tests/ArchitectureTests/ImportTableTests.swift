import Foundation
import Testing
import TestSupport

/// The import table: which of our targets each target may import, and which outside modules. An arrow points only to a row above.
private let table: [(target: String, ours: Set<String>, external: Set<String>)] = [
    ("TensorCore", ["CKernels", "COpenBLAS"], []),
    ("Digests", ["COpenSSL"], []),
    ("Tokenizers", [], []),
    ("HidraProtocol", [], ["SwiftProtobuf"]),
    ("ONNX", [], ["SwiftProtobuf"]),
    ("ZeroMQ", ["CZeroMQ"], []),
    ("Tables", [], ["SwiftCSV"]),
    ("Statistics", [], []),
    ("Archives", ["CZlib"], []),
    ("Charts", ["CCairo", "Statistics"], []),
    ("Images", ["CImages", "CArchive"], []),
    ("Sessions", ["Tables"], ["Yams"]),
    ("Scheduling", [], []),
    ("Checkpoints", ["TensorCore"], []),
    ("Layers", ["Checkpoints", "TensorCore"], []),
    ("Graphs", ["ONNX", "Layers", "Checkpoints", "TensorCore"], ["SwiftProtobuf"]),
    ("Encoders", ["Graphs", "Layers", "Checkpoints", "Images", "TensorCore", "Tokenizers"], []),
    ("Training", ["Checkpoints", "TensorCore", "CKernels"], []),
    ("Heads", ["Encoders", "Graphs", "Training", "Layers", "Checkpoints", "TensorCore", "Digests"], []),
    ("Latent", ["Training", "Encoders", "Layers", "Checkpoints", "Images", "TensorCore"], []),
    ("Tuning", ["Encoders", "Training", "Checkpoints", "TensorCore"], []),
    ("FewLabels", ["Heads", "Tuning", "Training", "Encoders", "Checkpoints", "TensorCore"], []),
    ("State", ["Encoders", "Digests"], ["GRDB"]),
    ("Hub", ["CZlib", "Digests"], []),
    (
        "Workbench",
        [
            "Scheduling", "Sessions", "State", "Latent", "Images", "FewLabels", "Statistics", "Archives", "Heads", "Graphs", "Tuning", "Encoders", "Training",
            "Layers", "Checkpoints", "TensorCore",
        ], []
    ),
    ("PluginHost", ["CSpawn", "HidraProtocol", "Tables", "ZeroMQ"], ["Yams"]),
    ("HidraClient", ["HidraProtocol", "ZeroMQ"], ["SwiftProtobuf"]),
    ("HidraPlugin", ["HidraClient", "HidraProtocol"], []),
    (
        "Daemon",
        [
            "Workbench", "Latent", "Scheduling", "Sessions", "FewLabels", "Statistics", "State", "Hub", "PluginHost", "Tables", "HidraProtocol",
            "ZeroMQ", "Heads", "Graphs", "Training", "Encoders",
            "TensorCore", "Digests",
        ],
        ["ServiceLifecycle", "Logging", "SwiftProtobuf"]
    ),
    ("hidrad", ["Daemon", "HidraProtocol"], ["ArgumentParser", "ServiceLifecycle", "UnixSignals", "Logging"]),
    (
        "hidra",
        ["Digests", "HidraClient", "HidraProtocol", "PluginHost", "Sessions", "Charts", "Statistics", "Tables", "Images"], ["ArgumentParser"]
    ),
    (
        "hidra-bench",
        [
            "HidraClient", "HidraProtocol", "Latent", "Scheduling", "Encoders", "Training", "Heads", "Tuning", "Layers", "Checkpoints", "Images", "TensorCore",
            "CKernels", "CAllocationCount", "Tables", "ZeroMQ",
        ], ["ArgumentParser"]
    ),
]

/// Row 0: C, and module maps of system libraries.
private let cTargets: Set<String> = [
    "CAllocationCount", "CArchive", "CCairo", "CImages", "CKernels", "COpenBLAS", "COpenSSL", "CProtobufC", "CSpawn", "CZeroMQ",
    "CZlib",
]

/// Libraries in C above row 0, for programs in C: which of the system's headers they may include beside C's and Linux's own.
private let cLibraries: [String: Set<String>] = ["CHidraPlugin": ["zmq.h", "protobuf-c/protobuf-c.h"]]

/// Part of every toolchain.
private let platform: Set<String> = [
    "Darwin", "Dispatch", "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Musl", "Synchronization", "Swift", "_Concurrency",
]

@Suite("The import table")
struct ImportTableTests {
    static let sources = Golden.packageRoot.appending(path: "Sources")

    @Test("each target imports only what its row allows", arguments: table.map { $0.target })
    func imports(_ target: String) throws {
        let row = try #require(table.first { $0.target == target })
        let allowed = row.ours.union(row.external).union(platform)
        let files = try swiftFiles(Self.sources.appending(path: target))
        #expect(!files.isEmpty, "no sources in \(target)")
        for file in files {
            for module in try importedModules(file) where !allowed.contains(module) {
                Issue.record("\(target)/\(file.lastPathComponent) imports \(module); its row allows \(allowed.subtracting(platform).sorted())")
            }
        }
    }

    @Test("every folder of Sources has a row")
    func complete() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
        #expect(Set(folders).subtracting(cTargets).subtracting(cLibraries.keys) == Set(table.map(\.target)))
    }

    @Test("C libraries include their own headers, the system's, and those of their row", arguments: cLibraries.keys.sorted())
    func includes(_ target: String) throws {
        let allowed = try #require(cLibraries[target])
        let folder = Self.sources.appending(path: target)
        let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        let files = walk.compactMap { $0 as? URL }.filter { ["c", "h"].contains($0.pathExtension) }
        #expect(!files.isEmpty, "no sources in \(target)")
        let system: Set<String> = [
            "errno.h", "fcntl.h", "limits.h", "math.h", "pthread.h", "signal.h", "spawn.h", "stdarg.h", "stdbool.h", "stddef.h",
            "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/eventfd.h", "sys/random.h", "sys/stat.h", "sys/types.h",
            "sys/wait.h", "time.h", "unistd.h",
        ]
        for file in files {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where line.hasPrefix("#include <") {
                let header = String(line.dropFirst("#include <".count).prefix { $0 != ">" })
                let isAllowed = allowed.contains(header) || system.contains(header)
                #expect(isAllowed, "\(target)/\(file.lastPathComponent) includes \(header)")
            }
        }
    }

    @Test("rows only point upwards")
    func acyclic() {
        var above = cTargets
        for row in table {
            #expect(row.ours.isSubset(of: above), "\(row.target) imports \(row.ours.subtracting(above)), which stand below it")
            above.insert(row.target)
        }
    }

    @Test("the command line prints, the other targets do not")
    func noPrinting() throws {
        for row in table where row.target != "hidra" && row.target != "hidra-bench" {
            for file in try swiftFiles(Self.sources.appending(path: row.target)) where !file.path.contains("/Generated/") {
                let text = try String(contentsOf: file, encoding: .utf8)
                for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                    let code = line.trimmingCharacters(in: .whitespaces)
                    #expect(!code.hasPrefix("print("), "\(row.target)/\(file.lastPathComponent):\(number + 1) prints")
                }
            }
        }
    }
}

private func swiftFiles(_ folder: URL) throws -> [URL] {
    let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    // What documentation shows is not part of the target.
    return walk.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" && !$0.path.contains(".docc/") }
}

/// `public import struct X.Y` and the like → `X`.
private func importedModules(_ file: URL) throws -> Set<String> {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    var modules: Set<String> = [], isText = false
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        // Programs that are written elsewhere lie in texts of several lines.
        if line.ranges(of: "\"\"\"").count % 2 == 1 { isText.toggle() }
        if isText { continue }
        var words = line.split(separator: " ").drop { $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) }
        guard words.popFirst() == "import", var module = words.popFirst() else { continue }
        if kinds.contains(module), let named = words.popFirst() { module = named }
        modules.insert(String(module.split(separator: ".")[0]))
    }
    return modules
}
