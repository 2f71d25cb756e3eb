import Foundation
import HidraClient
import HidraProtocol
import Logging
import PluginHost
import TestSupport

@testable import Daemon

/// A daemon in this process, on real sockets, in a home of its own.
final class RunningDaemon: Sendable {
    let folder: TemporaryFolder
    let home: Home
    private let service: Task<Void, any Error>

    init(
        folder: TemporaryFolder? = nil, limits: Limits = Limits(), environment: [String: String] = [:], listen: ServerAddress? = nil,
        configuration: SocketLoop.Configuration = SocketLoop.Configuration(), pluginTiming: PluginLife.Timing = PluginLife.Timing()
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        home = Home(path: folder.url.appending(path: "home").path)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let daemon = try DaemonService(
            home: home, limits: limits, environment: environment, listen: listen, configuration: configuration,
            pluginTiming: pluginTiming, logger: logger)
        service = Task { try await daemon.run() }
    }

    func connect(_ name: String = "test") async throws -> HidraClient {
        // The sockets open a moment after `run()` has begun.
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await HidraClient.connect(home: home, client: name, startDaemon: false, timeout: .seconds(5))
            } catch let error as HidraError where error.code == .unavailable && ContinuousClock.now < deadline {
                await Task.yield()
            }
        }
    }

    /// Stops the way `hidra stop` does.
    func stop(grace: Duration = .seconds(10)) async throws {
        let client = try await connect("stopper")
        _ = try await client.shutdown(grace: grace)
        await client.close()
        try await service.value
    }

    /// A client with the tiny encoder pulled as "tiny".
    func connectWithEncoder() async throws -> HidraClient {
        let client = try await connect()
        let source = folder.url.appending(path: "tiny")
        try TinyEncoder.write(to: source)
        var request = Hidra_V1_PullRequest()
        request.source = source.path
        request.name = "tiny"
        _ = try await client.pull(request) { _ in }
        return client
    }
}

/// Texts whose first letter decides their label.
func letterRows(_ count: Int) -> [UploadColumn] {
    let letters = ["a", "b", "c", "d"]
    return [
        UploadColumn(
            "text",
            (0..<count).map { "\(letters[$0 % 4])\(letters[$0 % 4]) \(letters[$0 / 4 % 4]) \(letters[$0 / 16 % 4])" }),
        UploadColumn("label", (0..<count).map { letters[$0 % 4] }),
    ]
}

func trainRequest(_ head: String, _ data: String, epochs: UInt32 = 0) -> Hidra_V1_TrainRequest {
    var request = Hidra_V1_TrainRequest()
    request.head = head
    request.encoder = "tiny"
    request.data = data
    request.inputColumn = "text"
    request.labelColumn = "label"
    request.hyperparameters.epochs = epochs
    return request
}
