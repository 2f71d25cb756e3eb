import Foundation
import HidraClient
import HidraProtocol
import PluginHost

/// A daemon in a home of its own, for the tests of one plugin.
actor PluginBench {
    nonisolated let folder: String
    /// How long its heads may take.
    nonisolated let patience: Duration
    private let home: String
    private var connected: HidraClient?
    private(set) var manifest: PluginManifest?

    init(folder: String, patience: Duration) throws {
        (self.folder, self.patience) = (folder, patience)
        let template = FileManager.default.temporaryDirectory.appending(path: "hidra-plugin-test-XXXXXX").path
        var bytes = Array(template.utf8CString)
        guard mkdtemp(&bytes) != nil else {
            throw HidraError(.internalError, "No temporary folder can be made at \(template): \(String(cString: strerror(errno))).")
        }
        home = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func readManifest() throws -> PluginManifest {
        do {
            let manifest = try ManifestReader.read(folder: URL(filePath: folder, directoryHint: .isDirectory))
            self.manifest = manifest
            return manifest
        } catch let error as PluginError {
            throw HidraError(error.code, error.message, details: error.details)
        }
    }

    /// The daemon; started with the first use.
    func client() async throws -> HidraClient {
        if let connected { return connected }
        let client = try await HidraClient.connect(home: Home(path: home), client: "hidra plugin test")
        connected = client
        return client
    }

    /// The plugin's encoders, from the user's home.
    func pullEncoders() async throws -> [String] {
        let client = try await client()
        let names = manifest?.encoders ?? []
        for name in names {
            let source = Home.default.path + "/encoders/" + name
            guard Paths.isDirectory(source) else {
                throw HidraError(.notFound, "It needs the encoder \(name), which is not in \(Home.default.path): `hidra pull \(name)` first.")
            }
            var request = Hidra_V1_PullRequest()
            (request.source, request.name) = (source, name)
            _ = try await client.pull(request)
        }
        return names
    }

    var name: String { manifest?.name ?? "" }

    func plugin() async throws -> Hidra_V1_Plugin {
        let plugins = try await client().listPlugins()
        guard let plugin = plugins.first(where: { $0.name == name }) else { throw HidraError(.notFound, "The plugin is gone.") }
        return plugin
    }

    /// The plugin once it fits; an error when that takes longer than `limit`.
    func plugin(within limit: Duration, _ what: String, _ fits: @Sendable (Hidra_V1_Plugin) -> Bool) async throws -> Hidra_V1_Plugin {
        let deadline = ContinuousClock.now + limit
        while true {
            let plugin = try await plugin()
            if fits(plugin) { return plugin }
            if deadline < .now || plugin.state == "failed" {
                throw HidraError(.timeout, "It \(what): it is \(plugin.state)" + (plugin.problem.isEmpty ? "." : ", \(plugin.problem)."))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func log(lines: Int) async -> [String] {
        guard let connected, let manifest else { return [] }
        let (parts, feed) = AsyncStream<[String]>.makeStream()
        do { _ = try await connected.pluginLogs(manifest.name, lines: lines) { feed.yield($0) } } catch { return [] }
        feed.finish()
        var all: [String] = []
        for await part in parts { all += part }
        return all
    }

    /// Stops the daemon. Returns whether its process, and those given, are gone within 10 s.
    func stopDaemon(_ others: [pid_t] = []) async throws -> Bool {
        guard let client = connected else { return true }
        connected = nil
        _ = try await client.shutdown(grace: .zero)
        await client.close()
        let deadline = ContinuousClock.now + .seconds(10)
        while ([pid_t(client.welcome.processID)] + others).contains(where: { Self.isAlive($0) }) {
            if deadline < .now { return false }
            try await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    func tearDown() async {
        // Of a cancelled task every wait ends at once: this one is done in a task of its own.
        await Task {
            // What cannot be stopped or removed lies in the temporary folder, and has been reported by a check.
            do { _ = try await stopDaemon() } catch {}
            do { try FileManager.default.removeItem(atPath: home) } catch {}
        }.value
    }

    /// Whether it runs; one that has ended and is not reaped does not.
    static func isAlive(_ process: pid_t) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
        return String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first != "Z"
    }
}
