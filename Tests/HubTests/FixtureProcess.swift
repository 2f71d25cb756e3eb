import Foundation
import Synchronization
import Testing

/// The running `Fixtures/fixtures.py`: one for all tests, as starting Python takes longer than most of them. It ends
/// when its input is closed, which happens at the latest when the test process ends.
final class FixtureProcess: Sendable {
    private let pipes: Mutex<(input: FileHandle, output: FileHandle)>

    private static let shared = Result { try FixtureProcess() }

    /// The first `python3` on the path.
    private static let python: URL? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").lazy
        .map { URL(fileURLWithPath: String($0)).appendingPathComponent("python3") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }

    static var isPresent: Bool {
        python != nil
    }

    private init() throws {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        let python: URL = try #require(Self.python)
        let input = Pipe(), output = Pipe()
        let process = Process()
        process.executableURL = python
        process.arguments = ["-B", fixtures.appendingPathComponent("fixtures.py").path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        pipes = Mutex((input.fileHandleForWriting, output.fileHandleForReading))
    }

    /// Sends a request and returns the answer, decoded.
    static func ask<Answer: Decodable>(_ what: String, _ request: [String: Any] = [:]) throws -> Answer {
        var request = request
        request["do"] = what
        let line = try JSONSerialization.data(withJSONObject: request) + Data("\n".utf8)
        let answer = try shared.get().pipes.withLock { pipes in
            try pipes.input.write(contentsOf: line)
            var answer = Data()
            while answer.last != UInt8(ascii: "\n") {
                let more = pipes.output.availableData
                try #require(!more.isEmpty, "fixtures.py ended; its error output says why")
                answer += more
            }
            return answer
        }
        return try JSONDecoder().decode(Answer.self, from: answer)
    }
}
