import HidraClient
import HidraProtocol
import SwiftProtobuf
import TestSupport
import Testing

@testable import Daemon

@Suite("Roles")
struct RoleTests {
    /// What each kind needs, written down a second time: who changes the one table must mean it. nil: only the daemon sends it.
    private static let expected: [String: Role?] = [
        "hello": .infer, "heartbeat": .infer, "goodbye": .infer, "cancel": .infer,
        "list": .infer, "show": .infer, "predict": .infer, "embed": .infer,
        "append_rows": .train, "drop_rows": .train, "upload": .train, "open_data": .train, "train": .train, "evaluate": .train,
        "quantize": .train, "export": .train, "check_graph": .train, "run_graph": .train, "attach": .train, "forward": .train,
        "forward_backward": .train, "backward": .train, "optim_step": .train, "save_state": .train, "load_state": .train,
        "detach": .train, "serve": .train, "call_result": .train, "replay": .train,
        "check_data": .train, "compare": .train, "test_rows": .train, "export_bundle": .train, "import_bundle": .train,
        "pretrain": .train, "latent": .infer, "learning_curve": .train, "cluster": .train, "suggest": .train,
        "start_session": .train, "list_sessions": .train, "show_session": .train, "watch_session": .train, "control_session": .train,
        "status": .admin, "shutdown": .admin, "remove": .admin, "pull": .admin, "list_plugins": .admin, "install_plugin": .admin,
        "control_plugin": .admin, "plugin_logs": .admin, "create_key": .admin, "list_keys": .admin, "revoke_key": .admin,
        "error": nil, "welcome": nil, "progress": nil, "event": nil, "call": nil, "plugin_log": nil, "session_progress": nil,
    ]

    @Test("Each kind of message needs the role that is written down here, and no kind is missing", arguments: try MessageKinds.all())
    func table(_ kind: MessageKinds.Kind) throws {
        let sent = try #require(kind.envelope.kind, "the generated code does not know it")
        if kind.name.hasSuffix("_reply") {
            #expect(sent.leastRole == nil && kind.envelope.requestChannel == nil)
        } else {
            let expected = try #require(Self.expected[kind.name], "a new kind: say here who may send it")
            #expect(sent.leastRole == expected)
            #expect((expected == nil) == (kind.envelope.requestChannel == nil))
        }
    }

    @Test("Switching an encoder's precision needs more than comparing does")
    func quantize() {
        var quantize = Hidra_V1_QuantizeRequest()
        quantize.data = "d"
        #expect(Hidra_V1_Envelope.OneOf_Kind.quantize(quantize).leastRole == .train)
        quantize.precision = "int8"
        #expect(Hidra_V1_Envelope.OneOf_Kind.quantize(quantize).leastRole == .admin)
    }

    @Test(
        "Whatever could be read as a path of the daemon's machine counts as one",
        arguments: [
            ("minilm", false), ("cifar-resnet56", false), ("hf:org/name", false), ("hf:org/name@refs.v1", false), ("", true),
            ("/etc", true), ("./x", true), ("..", true), (".", true), ("~", true), ("~root/x", true), (" hf:a/b", true),
            ("hf:\u{301}/../../etc", true), ("\u{301}hf:a/b", true), ("a\u{2215}b", true), ("HF:org/name", true), ("\thf:a/b", true),
        ])
    func paths(_ source: String, _ isPath: Bool) {
        var pull = Hidra_V1_PullRequest()
        pull.source = source
        #expect(Hidra_V1_Envelope.OneOf_Kind.pull(pull).readsFilesOfTheDaemon == isPath)
    }

    @Test("A plugin keeps the least role that its tokens gave; a client of this machine without a token is an admin")
    func tokens() throws {
        let clients = ClientTable(), folder = try TemporaryFolder()
        let access = AccessControl(clients: clients, keys: KeyRing(), defaults: Quota(), usage: try UsageFile(folder.url) { _ in })
        let client = ClientIdentity([1, 2, 3])
        clients.greet(client, name: "somebody")
        #expect(access.role(of: client) == .admin)
        // Neither another token nor none raises what the first one gave.
        for role in [Role.infer, .admin, nil] {
            clients.greet(client, name: "plugin", role: role)
            #expect(access.role(of: client) == .infer)
        }
        var message = InboundMessage(channel: .control, client: client, envelope: .reply(to: 9, .status(.init())), tensors: [])
        let refusal = try #require(access.refusal(of: message))
        #expect(refusal.code == .permissionDenied && refusal.details["needed"] == "admin")
        message.envelope = .reply(to: 9, .predict(.init()))
        #expect(access.refusal(of: message) == nil)
    }

    @Test("An unknown token is refused, and so is a known one of another daemon")
    func unknownToken() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connect()
        #expect(client.role == .admin)
        var hello = Hidra_V1_Hello()
        (hello.protocolMin, hello.protocolMax, hello.pluginToken) = (1, 1, "no such token")
        hello.capabilities = ["something from the future"]
        let frames = try Frames.encode(WireMessage(.reply(to: 1, .hello(hello))), limit: 1 << 20)
        let endpoints = Endpoints.current(daemon.home)
        let answers = try await RawPeer.onThread { try RawPeer.exchange(endpoints.control, [frames], expecting: 1) }
        #expect(answers[0].error.code == "permission_denied")
        await client.close()
        try await daemon.stop()
    }
}
