import Encoders
import Foundation
import HidraProtocol
import Sessions
import State
import Workbench

/// Sessions: several heads trained together. They belong to the daemon, not to whoever started them.
extension WorkRequests {
    private static let interval = 200, mostFiles = 128, graphBytes = 256 << 20

    /// What happens to sessions, as events.
    static func publishing(_ events: EventLog) -> Workbench.SessionEvents {
        { session, event, values in events.record("session.\(event)", session, values) }
    }

    /// Takes the rows now: the client may drop them, or go, as soon as it has asked.
    func sessionRequest(_ start: Hidra_V1_StartSessionRequest, _ client: ClientIdentity) throws -> SessionRequest {
        let plan: SessionPlan
        do { plan = try SessionPlan(document: start.document) } catch { throw Failure(error) }
        guard start.files.count <= Self.mostFiles else {
            throw Failure(.limitExceeded, "A session reads at most \(Self.mostFiles) files; \(start.files.count) are given.")
        }
        let given = Dictionary(start.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        func file(_ path: String) throws -> Hidra_V1_SessionFile {
            guard let file = given[path] else {
                throw Failure(
                    .invalidArgument, "The document names \(path), and its rows were not sent: `files` needs an entry with that path.",
                    details: ["file": path])
            }
            return file
        }
        let files = try plan.files.map { path -> SessionRequest.File in
            let file = try file(path), table = try data.table(file.data, client: client)
            var columns: [String: SessionColumn] = [:]
            for name in plan.columns(of: path) {
                switch try table.column(name) {
                case .texts(let texts): columns[name] = .texts(texts)
                case .blobs:
                    columns[name] = .images(
                        try inputs(of: table, name).compactMap { if case .image(let image) = $0 { image } else { nil } })
                }
            }
            return SessionRequest.File(path: path, origin: file.origin, sha256: file.sha256, columns: columns)
        }
        var graphs: [String: Data] = [:]
        for path in plan.graphs {
            let graph = try file(path).graph
            guard graph.count <= Self.graphBytes else {
                throw Failure(.limitExceeded, "\(path) has \(graph.count) bytes; a graph may have \(Self.graphBytes).")
            }
            graphs[path] = graph
        }
        return SessionRequest(document: start.document, plan: plan, files: files, graphs: graphs, owner: client.key)
    }

    func startSession(_ request: SessionRequest, checkOnly: Bool) async throws -> Answer {
        var reply = Hidra_V1_StartSessionReply()
        if checkOnly {
            let (estimate, notes) = try await workbench.checkSession(request)
            (reply.estimate, reply.notes) = (Hidra_V1_SessionEstimate(estimate), notes)
        } else {
            let (record, estimate, notes) = try await workbench.startSession(request, events: Self.publishing(events))
            (reply.estimate, reply.notes) = (Hidra_V1_SessionEstimate(estimate), notes)
            reply.session = Hidra_V1_Session(try await workbench.sessionStatus(record.name))
        }
        return Answer(.startSessionReply(reply))
    }

    func listSessions() async throws -> Answer {
        var reply = Hidra_V1_ListSessionsReply()
        reply.sessions = try await workbench.sessionStatuses().map { Hidra_V1_Session($0, whole: false, epochs: false) }
        return Answer(.listSessionsReply(reply))
    }

    func showSession(_ name: String) async throws -> Answer {
        var reply = Hidra_V1_ShowSessionReply()
        reply.session = try await session(name)
        return Answer(.showSessionReply(reply))
    }

    /// With all that is known: of one that has ended, the epochs that its runs recorded.
    private func session(_ name: String) async throws -> Hidra_V1_Session {
        let status = try await workbench.sessionStatus(name)
        let history = try await workbench.registry.history(session: status.record.id)
        var message = Hidra_V1_Session(status, history: history)
        guard status.record.state == .finished else { return message }
        for index in message.heads.indices { message.heads[index].epochs = try await epochs(run: message.heads[index].run) }
        return message
    }

    private func epochs(run: String) async throws -> [Hidra_V1_SessionEpoch] {
        guard !run.isEmpty else { return [] }
        let metrics: [MetricRecord]
        do { metrics = try await workbench.registry.history(run: run) } catch let error as WorkbenchError where error.code == .notFound {
            // Old runs are forgotten.
            return []
        }
        let steps = Dictionary(grouping: metrics, by: \.step).sorted { $0.key < $1.key }
        return steps.enumerated().map { index, step in
            var message = Hidra_V1_SessionEpoch()
            message.epoch = UInt32(index + 1)
            message.step = UInt64(max(0, step.key))
            message.loss = step.value.first { $0.name == "loss" }?.value ?? .nan
            message.validationScore = step.value.first { $0.name == "validation_score" }?.value ?? .nan
            return message
        }
    }

    /// Streams where the session stands until it does not run any more.
    func watchSession(
        _ watch: Hidra_V1_WatchSessionRequest, _ send: @Sendable (Hidra_V1_SessionProgress) -> Void
    ) async throws -> Answer {
        let pause = Duration.milliseconds(watch.intervalMilliseconds == 0 ? Self.interval : max(20, Int(watch.intervalMilliseconds)))
        var isFirst = true
        while true {
            let status = try await workbench.sessionStatus(watch.name)
            let history = isFirst ? try await workbench.registry.history(session: status.record.id) : []
            send(Hidra_V1_SessionProgress(status, isFirst: isFirst, history: history))
            isFirst = false
            if status.live == nil, status.record.state != .running { break }
            try await Task.sleep(for: pause)
        }
        var reply = Hidra_V1_WatchSessionReply()
        reply.session = try await session(watch.name)
        return Answer(.watchSessionReply(reply))
    }

    func controlSession(_ control: Hidra_V1_ControlSessionRequest, _ client: ClientIdentity) async throws -> Answer {
        let record = try await workbench.registry.session(named: control.name)
        guard access.role(of: client) == .admin || client.key != nil && record.owner == client.key else {
            throw Failure(
                .permissionDenied, "Session '\(control.name)' is somebody else's; controlling it takes the role \"admin\".",
                details: ["needed": "admin"])
        }
        var reply = Hidra_V1_ControlSessionReply()
        switch control.action {
        case .pause: _ = try await workbench.stopSession(control.name, cancel: false)
        case .cancel: _ = try await workbench.stopSession(control.name, cancel: true)
        case .resume:
            let digests = Dictionary(
                control.files.filter { !$0.sha256.isEmpty }.map { ($0.path, $0.sha256) }, uniquingKeysWith: { first, _ in first })
            _ = try await workbench.resumeSession(control.name, digests: digests, events: Self.publishing(events))
        case .remove:
            reply.session = try await session(control.name)
            reply.bytesFreed = UInt64(try await workbench.registry.removeSession(control.name).bytesFreed)
            events.record("session.removed", control.name, [:])
            return Answer(.controlSessionReply(reply))
        case .unspecified, .UNRECOGNIZED:
            throw Failure(
                .unsupported,
                "Action \(control.action.rawValue) of a session is not known to this daemon; it knows PAUSE, RESUME, CANCEL and REMOVE.")
        }
        reply.session = try await session(control.name)
        return Answer(.controlSessionReply(reply))
    }
}
