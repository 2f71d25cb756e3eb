public import HidraProtocol
internal import Synchronization

extension HidraClient {
    /// Stays connected until the connection is over: the daemon has said goodbye, or is gone. What a plugin does when its work is done.
    ///
    /// - Returns: why, in the daemon's words.
    @discardableResult
    public func untilGone() async -> HidraError {
        await connection.ended()
        if case .ended(let error) = connection.state.withLock({ $0.phase }) { return error }
        return Connection.closed
    }

    /// The plugins that are installed, by name.
    public func listPlugins() async throws -> [Hidra_V1_Plugin] {
        try await ask(.listPlugins(Hidra_V1_ListPluginsRequest()), on: .work) {
            if case .listPluginsReply(let reply) = $0.envelope.kind { reply.plugins } else { nil }
        }
    }

    /// Installs a plugin: the daemon takes a copy of its folder.
    ///
    /// - Parameters:
    ///   - directory: absolute; has a `plugin.yaml`.
    ///   - replace: in place of one of that name; if that ran, the new one runs.
    public func installPlugin(_ directory: String, replace: Bool = false) async throws -> Hidra_V1_Plugin {
        var request = Hidra_V1_InstallPluginRequest()
        request.directory = directory
        request.replace = replace
        return try await ask(.installPlugin(request), on: .work) {
            if case .installPluginReply(let reply) = $0.envelope.kind { reply.plugin } else { nil }
        }
    }

    /// Starts a plugin, which is answered when it has said hello; stops it, which is answered when its process is gone; and so on.
    public func controlPlugin(_ name: String, _ action: Hidra_V1_ControlPluginRequest.Action) async throws -> Hidra_V1_Plugin {
        var request = Hidra_V1_ControlPluginRequest()
        request.name = name
        request.action = action
        return try await ask(.controlPlugin(request), on: .work) {
            if case .controlPluginReply(let reply) = $0.envelope.kind { reply.plugin } else { nil }
        }
    }

    /// What a plugin has printed, and with `follow` what it goes on to print, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - lines: of the past; 0: the last 100.
    ///   - take: called on the client's thread; must not block.
    /// - Returns: how many lines the plugin printed too quickly for its log.
    @discardableResult
    public func pluginLogs(
        _ name: String, lines: Int = 0, follow: Bool = false, _ take: @escaping @Sendable ([String]) -> Void
    ) async throws -> UInt64 {
        var request = Hidra_V1_PluginLogsRequest()
        request.name = name
        request.lines = UInt32(clamping: lines)
        request.follow = follow
        return try await ask(
            .pluginLogs(request), on: .work,
            call: { if case .pluginLog(let part) = $0.envelope.kind { take(part.lines) } }
        ) {
            if case .pluginLogsReply(let reply) = $0.envelope.kind { reply.dropped } else { nil }
        }
    }
}
