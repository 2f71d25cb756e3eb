import CHidraPlugin
import Foundation
import Glibc
import HidraClient
import HidraProtocol
import TestSupport

/// A real `hidrad`, started by the C library in a home of its own, with the tiny encoder.
final class StartedDaemon: Sendable {
    /// `HIDRA_DAEMON`, or the one that is built.
    static let executable =
        ProcessInfo.processInfo.environment["HIDRA_DAEMON"]
        ?? Golden.packageRoot.appending(path: ".build/release/hidrad").path
    static let isBuilt = access(executable, X_OK) == 0

    let folder: TemporaryFolder
    let home: Home
    let client: CClient

    /// - Parameter encoder: the name it has.
    init(encoder: String = "tiny") async throws {
        let folder = try TemporaryFolder()
        let home = Home(path: folder.url.appending(path: "home").path)
        let source = folder.url.appending(path: "tiny")
        try TinyEncoder.write(to: source)
        client = try await onThread {
            let client = try CClient(home: home.path, daemon: Self.executable)
            try client.pull(source.path, name: encoder)
            return client
        }
        (self.folder, self.home) = (folder, home)
    }

    var processID: pid_t { pid_t(client.greeting.process_id) }

    func swiftClient() async throws -> HidraClient {
        try await HidraClient.connect(home: home, client: "swift", startDaemon: false)
    }

    func stop() async throws {
        let stopper = try await swiftClient()
        _ = try await stopper.shutdown(grace: .zero)
        await stopper.close()
        try await onThread { [client] in client.goodbye() }
    }
}

/// Texts whose first letter decides their label.
func letters(_ count: Int) -> [(name: String, texts: [String])] {
    let letters = ["a", "b", "c", "d"]
    return [
        (
            "text",
            (0..<count).map { "\(letters[$0 % 4])\(letters[$0 % 4]) \(letters[$0 / 4 % 4]) \(letters[$0 / 16 % 4])" }
        ),
        ("label", (0..<count).map { letters[$0 % 4] }),
    ]
}
