import HidraProtocol
import PluginHost
import State
import Workbench

/// What clients do in the daemon's place.
extension WorkRequests {
    private static let deadline = Duration.seconds(30)

    private func callee(_ client: ClientIdentity, _ request: UInt64, _ milliseconds: UInt32) -> ClientCallee {
        ClientCallee(
            stream: CallTable.Stream(client: client, request: request), calls: calls,
            limit: milliseconds == 0 ? Self.deadline : .milliseconds(Int64(milliseconds))
        ) { reply($0, $1, client) }
    }

    /// What the client wants to do for a training; nil when it is nothing.
    func trainingCalls(
        _ train: Hidra_V1_TrainRequest, _ client: ClientIdentity, _ request: UInt64
    ) throws -> TrainingCalls? {
        guard !train.calls.isEmpty else { return nil }
        return TrainingCalls(
            kinds: Set(try train.calls.map { try CallKind($0) }),
            callee: callee(client, request, train.callDeadlineMilliseconds), client: clients.name(of: client))
    }

    /// Lets the client answer for heads until it cancels, or is gone.
    func serve(_ serve: Hidra_V1_ServeRequest, _ client: ClientIdentity, _ request: UInt64) async throws -> Answer {
        // Who serves a head reads what others ask it.
        guard client.key == nil || access.role(of: client) == .admin else {
            throw Failure(
                .permissionDenied, "Heads are served by clients of the daemon's machine, or with a key of the role \"admin\".",
                details: ["needed": "admin"])
        }
        for name in serve.heads {
            let head = try await workbench.registry.head(named: name)
            guard head.calls != nil else {
                throw Failure(
                    .invalidArgument, "Head '\(name)' needs nobody to serve it: it was trained without PREPROCESS and POSTPROCESS.")
            }
        }
        if let plugin = clients.plugin(of: client), let other = serve.losses.first(where: { $0 != plugin.plugin }) {
            throw Failure(
                .permissionDenied, "Plugin '\(plugin.plugin)' may compute losses under its own name alone, not under '\(other)'.")
        }
        let callee = callee(client, request, 0)
        let number = workbench.served.offer(serve.heads, by: callee), losses = workbench.losses.offer(serve.losses, by: callee)
        defer {
            workbench.served.withdraw(number)
            workbench.losses.withdraw(losses)
            calls.close(CallTable.Stream(client: client, request: request), CancellationError())
        }
        // Ends by being cancelled: by the client, by its loss, or by the daemon's stop.
        while true { try await Task.sleep(for: .seconds(86_400)) }
    }
}
