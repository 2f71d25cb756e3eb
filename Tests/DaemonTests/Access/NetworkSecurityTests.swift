import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing
import ZeroMQ

@testable import Daemon

@Suite("Security of the network", .serialized)
struct NetworkSecurityTests {
    /// Sends a request of every kind on its socket, hello first; returns what came back.
    private static func tryEverything(
        _ address: ServerAddress, _ security: [Socket.Option], _ kinds: [MessageKinds.Kind], within limit: Duration
    ) async throws -> [String: Hidra_V1_Envelope] {
        let identity = [UInt8](repeating: 9, count: 8) + (0..<8).map { _ in UInt8.random(in: 0...255) }
        var replies: [String: Hidra_V1_Envelope] = [:]
        for channel in Channel.allCases {
            let own = kinds.enumerated().filter { $0.element.envelope.requestChannel == channel }
            let messages = try own.map { try $0.element.frames(UInt64($0.offset + 1)) }
            let endpoint = channel == .control ? address.control : address.work
            let received = try await RawPeer.onThread {
                try RawPeer.exchange(
                    endpoint, messages, identity: identity, security: security, expecting: messages.count, within: limit)
            }
            for reply in received where (1...UInt64(kinds.count)).contains(reply.requestID) {
                replies[kinds[Int(reply.requestID) - 1].name] = reply
            }
        }
        return replies
    }

    @Test("Without CURVE, with a key nobody knows, with a revoked key or the wrong server's key nothing is answered, and nothing is heard")
    func strangers() async throws {
        let network = try await NetworkDaemon()
        let admin = try network.key(.admin), address = network.address
        _ = try await network.local.revokeKey("key-infer")
        let other = try CurveKeyPair.generate()
        let peers: [(String, [Socket.Option])] = [
            ("plain", []), ("unknown key", try admin.stranger().security), ("revoked", try network.key(.infer).security),
            ("another server's key", CurveKeyPair(secretKey: admin.secretKey).map { [.curveClient($0, server: other.publicKey)] } ?? []),
        ]
        let kinds = try MessageKinds.requests()
        let before = try await network.local.list()
        for (name, security) in peers {
            let replies = try await Self.tryEverything(address, security, kinds, within: .milliseconds(400))
            #expect(replies.isEmpty, "\(name): \(replies.keys.sorted())")
            async let heard = RawPeer.onThread { try RawPeer.subscribe(address.events, security: security, within: .milliseconds(700)) }
            try await Task.sleep(for: .milliseconds(350))
            // Something to hear.
            _ = try await network.local.createKey("made-\(name.count)", role: .infer)
            let data = try await network.local.upload(columns: letterRows(40))
            var request = trainRequest("x\(name.count)", data, epochs: 1)
            request.replace = true
            _ = try await network.local.train(request) { _ in }
            #expect(try await heard == 0, "\(name)")
        }
        // Nothing was done either, and the holder of a good key is served.
        #expect(try await network.local.list().encoders == before.encoders)
        let client = try await network.connect(as: .admin)
        #expect(client.role == .admin)
        #expect(try await client.status().processID == UInt32(getpid()))
        await client.close()
        try await network.stop()
    }

    @Test("Each role is refused every kind above it with the same words, whatever exists, and is answered the others", arguments: Role.allCases)
    func roles(_ role: Role) async throws {
        let network = try await NetworkDaemon()
        let key = try network.key(role)
        // What ends the daemon or the connection is left out of what is allowed.
        let kinds = try MessageKinds.requests().filter { kind in
            let needed = kind.envelope.kind?.leastRole ?? .admin
            return needed > role || !["shutdown", "goodbye", "call_result"].contains(kind.name)
        }
        let replies = try await Self.tryEverything(network.address, key.security, kinds, within: .seconds(8))
        for kind in kinds {
            let reply = try #require(replies[kind.name], "\(kind.name) unanswered")
            let needed = try #require(kind.envelope.kind?.leastRole)
            let denied = reply.error.code == "permission_denied"
            let readsFiles = kind.envelope.kind?.readsFilesOfTheDaemon ?? false
            #expect(denied == (needed > role || readsFiles), "\(role) \(kind.name): \(reply)")
            if needed > role { #expect(reply.error.details["needed"] == needed.rawValue, "\(kind.name)") }
        }
        let address = network.address
        // Events are subscribed to with the right to have them replayed.
        async let heard = RawPeer.onThread { try RawPeer.subscribe(address.events, security: key.security, within: .seconds(1)) }
        try await Task.sleep(for: .milliseconds(500))
        let data = try await network.local.upload(columns: letterRows(40))
        _ = try await network.local.train(trainRequest("heard", data, epochs: 1)) { _ in }
        let count = try await heard
        #expect((count > 0) == (role >= .ofEvents), "\(count) messages")
        try await network.stop()
    }

    @Test("A refusal says nothing of what there is: for a head that exists and one that does not it has the same bytes")
    func enumeration() async throws {
        let network = try await NetworkDaemon()
        let data = try await network.local.upload(columns: letterRows(40))
        _ = try await network.local.train(trainRequest("letters", data, epochs: 1)) { _ in }
        let key = try network.key(.infer), endpoint = network.address.work
        var answers: Set<String> = []
        for name in ["letters", "tiny", "nothing-of-that-name"] {
            for make in [removal, export, evaluation] {
                let frames = try Frames.encode(WireMessage(.reply(to: 1, make(name))), limit: 1 << 20)
                let replies = try await RawPeer.onThread {
                    try RawPeer.exchange(endpoint, [frames], security: key.security, expecting: 1)
                }
                let error = try #require(replies.first).error
                #expect(error.code == "permission_denied" && !error.message.contains(name))
                answers.insert("\(error.message) \(error.details.sorted { $0.key < $1.key })")
            }
        }
        // One for each role that was lacking.
        #expect(answers.count == 2)
        try await network.stop()
    }

    private func removal(_ name: String) -> Hidra_V1_Envelope.OneOf_Kind {
        var remove = Hidra_V1_RemoveRequest()
        remove.name = name
        return .remove(remove)
    }

    private func export(_ name: String) -> Hidra_V1_Envelope.OneOf_Kind {
        var export = Hidra_V1_ExportRequest()
        export.head = name
        return .export(export)
    }

    private func evaluation(_ name: String) -> Hidra_V1_Envelope.OneOf_Kind {
        var evaluate = Hidra_V1_EvaluateRequest()
        evaluate.head = name
        return .evaluate(evaluate)
    }

    @Test("A key cannot use the routing id of another key's client, on either socket, nor its data sets")
    func identities() async throws {
        let network = try await NetworkDaemon()
        let mine = try network.key(.train), theirs = try await network.local.createKey("other", role: .train)
        let identity: [UInt8] = [3] + Array("of the first key".utf8), address = network.address
        var hello = Hidra_V1_Hello()
        (hello.protocolMin, hello.protocolMax) = (1, 1)
        var rows = Hidra_V1_AppendRowsRequest()
        rows.data = "d"
        rows.columns = [Hidra_V1_Column()]
        (rows.columns[0].name, rows.columns[0].values) = ("c", ["a", "b"])
        let greeting = try Frames.encode(WireMessage(.reply(to: 1, .hello(hello))), limit: 1 << 20)
        let append = try Frames.encode(WireMessage(.reply(to: 2, .appendRows(rows))), limit: 1 << 20)
        let replies = try await RawPeer.onThread {
            // The first key's control connection stays while the second key takes its id to the work socket.
            let context = try Context()
            defer { context.terminate() }
            return try Impostor.run(context, address, identity, mine, greeting, theirs, append)
        }
        #expect(replies.map(\.error.code) == ["invalid_argument"])
        #expect(replies.first?.error.message.contains("hello") == true)
        try await network.stop()
    }

    @Test("Revoking a key ends its connections at once, and admits it no more")
    func revoking() async throws {
        let network = try await NetworkDaemon()
        let client = try await network.connect(as: .train), bystander = try await network.connect(as: .admin)
        let data = try await client.upload(columns: letterRows(400))
        let events = client.events(from: nil)
        let training = Task { try await client.train(endlessTraining("long", data)) { _ in } }
        let following = Task { for try await _ in events {} }
        try await Task.sleep(for: .milliseconds(300))
        let start = ContinuousClock.now
        _ = try await network.local.revokeKey("key-train")
        let error = await #expect(throws: HidraError.self) { try await training.value }
        #expect(error?.code == .unavailable)
        await #expect(throws: HidraError.self) { try await following.value }
        #expect(ContinuousClock.now - start < .seconds(2))
        let refused = await #expect(throws: HidraError.self) { try await network.connect(as: .train) }
        #expect(refused?.code == .permissionDenied)
        // Others do not notice.
        #expect(try await bystander.list().encoders.count == 1)
        for key in try await network.local.keys() { #expect((key.revoked > 0) == (key.name == "key-train"), "\(key.name)") }
        // The name may be used again; the old key stays out.
        let fresh = try await network.local.createKey("key-train", role: .infer)
        let infer = try await network.connect(fresh)
        #expect(infer.role == .infer)
        let unheard = await #expect(throws: HidraError.self) { for try await _ in infer.events() {} }
        #expect(unheard?.code == .permissionDenied)
        await #expect(throws: HidraError.self) { try await network.connect(as: .train) }
        try await network.stop()
    }

    @Test("Files of the daemon's machine are not for clients of the network, admins included")
    func files() async throws {
        let network = try await NetworkDaemon()
        let client = try await network.connect(as: .admin)
        let folder = network.daemon.folder.url
        try Data("text,label\na,b\n".utf8).write(to: folder.appending(path: "t.csv"))
        var pull = Hidra_V1_PullRequest()
        pull.source = folder.appending(path: "tiny").path
        pull.name = "again"
        var open = Hidra_V1_OpenDataRequest()
        open.data = "d"
        open.path = folder.appending(path: "t.csv").path
        let (pulling, opening) = (pull, open)
        for path in [pull.source, "../tiny", "~"] {
            var pull = pulling
            pull.source = path
            let request = pull
            let error = await #expect(throws: HidraError.self) { try await client.pull(request) { _ in } }
            #expect(error?.code == .permissionDenied, "\(path)")
        }
        let error = await #expect(throws: HidraError.self) { try await client.openData(opening) }
        #expect(error?.code == .permissionDenied)
        #expect(try await network.local.openData(opening).rows == 1)
        await client.close()
        try await network.stop()
    }

    @Test("The server's key is a file for its user alone, and others' eyes on it are an error")
    func serverKey() throws {
        let folder = try TemporaryFolder()
        let pair = try ServerKey.load(folder.url), path = folder.url.appending(path: "server.key").path
        #expect(try ServerKey.load(folder.url) == pair)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: Failure.self) { try ServerKey.load(folder.url) }
    }
}

/// Two keys, one routing id.
private enum Impostor {
    static func run(
        _ context: Context, _ address: ServerAddress, _ identity: [UInt8], _ mine: ClientKey, _ greeting: [[UInt8]], _ theirs: ClientKey,
        _ request: [[UInt8]]
    ) throws -> [Hidra_V1_Envelope] {
        let control = try Socket(.dealer, in: context)
        for option in mine.security { try control.set(option) }
        try control.set(.routingID(identity))
        try control.connect(address.control)
        _ = try control.send(greeting)
        var poller = Poller()
        _ = poller.add(control)
        var welcomed = false
        while !welcomed {
            try poller.wait(.seconds(5))
            guard let reply = try control.receive() else { throw RawPeer.Failure(message: "no welcome") }
            if case .welcome = try Frames.decode(reply.frames, limit: 1 << 20).envelope.kind { welcomed = true }
        }
        return try RawPeer.exchange(address.work, [request], identity: identity, security: theirs.security, expecting: 1)
    }
}
