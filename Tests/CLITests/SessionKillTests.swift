import Foundation
import TestSupport
import Testing

/// The short form of `make soak-sessions`, with real processes.
@Suite("A session whose daemon is killed", .enabled(if: SessionKillTests.isBuilt, "hidra, hidrad and python3 are needed"))
struct SessionKillTests {
    private static let bin = Golden.packageRoot.appending(path: ".build/release")
    static var isBuilt: Bool {
        ["hidra", "hidrad"].allSatisfy { FileManager.default.isExecutableFile(atPath: bin.appending(path: $0).path) }
            && FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
    }

    @Test("goes on with the next daemon and ends with the same bytes", arguments: ["heads", "lora"])
    func killed(_ what: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kills-\(UUID().uuidString)")
        defer { do { try FileManager.default.removeItem(at: folder) } catch {} }
        try TinyEncoder.write(to: folder)
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [
            Golden.packageRoot.appending(path: "Tests/Soak/sessions.py").path, "--encoder", folder.path, "--kills", "3", "--what", what,
            "--epochs", what == "heads" ? "600" : "60", "--bin", Self.bin.path,
        ]
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        #expect(output.contains("3 kills"), "\(output)")
    }
}
