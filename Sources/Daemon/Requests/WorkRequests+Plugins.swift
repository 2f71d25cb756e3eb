import Foundation
import HidraProtocol
import PluginHost

extension WorkRequests {
    func listPlugins() -> Answer {
        var reply = Hidra_V1_ListPluginsReply()
        reply.plugins = plugins.list().map(Hidra_V1_Plugin.init)
        return Answer(.listPluginsReply(reply))
    }

    func installPlugin(_ request: Hidra_V1_InstallPluginRequest) async throws -> Answer {
        guard request.directory.hasPrefix("/") else {
            throw Failure(.invalidArgument, "'\(request.directory)' is no absolute path: the daemon has another working directory.")
        }
        var reply = Hidra_V1_InstallPluginReply()
        let folder = URL(filePath: request.directory, directoryHint: .isDirectory)
        reply.plugin = Hidra_V1_Plugin(try await plugins.install(folder, replace: request.replace))
        return Answer(.installPluginReply(reply))
    }

    func controlPlugin(_ request: Hidra_V1_ControlPluginRequest) async throws -> Answer {
        var reply = Hidra_V1_ControlPluginReply()
        let status =
            switch request.action {
            case .start: try await plugins.start(request.name)
            case .stop: try await plugins.stop(request.name)
            case .restart: try await plugins.restart(request.name)
            case .remove: try await plugins.remove(request.name)
            case .unspecified, .UNRECOGNIZED:
                throw Failure(.invalidArgument, "Say what to do with plugin '\(request.name)': start, stop, restart or remove it.")
            }
        reply.plugin = Hidra_V1_Plugin(status)
        return Answer(.controlPluginReply(reply))
    }

    /// - Parameter send: takes a part of the log.
    func pluginLogs(_ request: Hidra_V1_PluginLogsRequest, send: @Sendable (Hidra_V1_PluginLog) -> Void) async throws -> Answer {
        guard request.lines <= 100_000 else { throw Failure(.invalidArgument, "Ask for at most 100,000 lines at a time.") }
        func tell(_ lines: [String]) {
            var part = Hidra_V1_PluginLog()
            part.lines = lines
            if !lines.isEmpty { send(part) }
        }
        let feed = try plugins.follow(request.name, lines: request.lines == 0 ? 100 : Int(request.lines))
        tell(feed.tail)
        if request.follow {
            // Ends when the request is cancelled, the plugin is removed, or the daemon stops.
            for await lines in feed.lines { tell(lines) }
        }
        var reply = Hidra_V1_PluginLogsReply()
        reply.dropped = UInt64(clamping: plugins.unfollow(request.name, feed.id))
        return Answer(.pluginLogsReply(reply))
    }
}
