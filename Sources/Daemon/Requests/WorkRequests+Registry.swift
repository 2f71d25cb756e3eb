import HidraProtocol
import State
import Workbench

extension WorkRequests {
    func list() async throws -> Answer {
        var reply = Hidra_V1_ListReply()
        reply.encoders = try await workbench.registry.encoders().map(Hidra_V1_Encoder.init)
        reply.heads = try await workbench.registry.heads().map(Hidra_V1_Head.init)
        // The latest are what anyone looks for; `show` finds the others by id.
        reply.runs = try await workbench.registry.runs(limit: 50).map(Hidra_V1_Run.init)
        return Answer(.listReply(reply))
    }

    func show(_ request: Hidra_V1_ShowRequest) async throws -> Answer {
        var reply = Hidra_V1_ShowReply()
        switch try await workbench.registry.item(named: request.name) {
        case .encoder(let record): reply.encoder = Hidra_V1_Encoder(record)
        case .head(let record): reply.head = Hidra_V1_Head(record)
        case .run(let record):
            reply.run = Hidra_V1_Run(record)
            reply.history = try await workbench.registry.history(run: record.id).map(Hidra_V1_MetricPoint.init)
        }
        return Answer(.showReply(reply))
    }

    func remove(_ request: Hidra_V1_RemoveRequest) async throws -> Answer {
        let removal = try await workbench.remove(request.name, withHeads: request.withHeads)
        for name in removal.names { events.record(name == request.name ? "removed" : "head.removed", name) }
        var reply = Hidra_V1_RemoveReply()
        reply.removed = removal.names
        reply.bytesFreed = UInt64(clamping: removal.bytesFreed)
        return Answer(.removeReply(reply))
    }
}
