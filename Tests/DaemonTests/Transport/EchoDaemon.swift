import Daemon
import HidraProtocol
import Synchronization

/// A daemon without an engine: real sockets, canned answers. What it does with work is the test's to say.
final class EchoDaemon: Sendable {
    typealias Answer = @Sendable (InboundMessage, SocketLoop) -> Void

    let home: TemporaryHome
    let loop: SocketLoop
    let received = Recorder<InboundMessage>()
    let lost = Recorder<(ClientIdentity, ClientLoss)>()
    let log = Recorder<String>()

    private final class Reference: Sendable {
        let loop = Mutex<SocketLoop?>(nil)
    }

    /// - Parameter answer: called for every message this daemon does not answer itself.
    init(
        home: TemporaryHome = TemporaryHome(), configuration: SocketLoop.Configuration = .init(),
        protocolVersions: ClosedRange<UInt32> = ProtocolVersion.supported, heartbeatSeconds: UInt32 = 5,
        workBacklog: @escaping @Sendable () -> Int = { 0 }, greets: Bool = true, answer: @escaping Answer = { _, _ in }
    ) throws {
        self.home = home
        let reference = Reference()
        let (received, lost, log) = (received, lost, log)
        let loop = try SocketLoop(
            lock: try DaemonLock.acquire(home.home), configuration: configuration, workBacklog: workBacklog,
            handler: { message in
                guard let loop = reference.loop.withLock({ $0 }) else { return }
                received.append(message)
                let request = message.envelope.requestID
                switch message.envelope.kind {
                case .hello where greets:
                    var welcome = Hidra_V1_Welcome()
                    welcome.protocol = protocolVersions.upperBound
                    welcome.protocolMin = protocolVersions.lowerBound
                    welcome.protocolMax = protocolVersions.upperBound
                    welcome.daemonVersion = "echo"
                    welcome.limits = configuration.limits.message
                    welcome.heartbeatSeconds = heartbeatSeconds
                    loop.send(.reply(to: request, .welcome(welcome)), to: message.client, on: .control)
                case .heartbeat(let heartbeat) where greets:
                    loop.send(.reply(to: request, .heartbeat(heartbeat)), to: message.client, on: .control)
                default: answer(message, loop)
                }
            },
            clientLost: { lost.append(($0, $1)) }, log: { log.append($0) })
        reference.loop.withLock { $0 = loop }
        try loop.start()
        (self.loop, self.reference) = (loop, reference)
    }

    private let reference: Reference

    /// Answers nothing from now on.
    func mute() { reference.loop.withLock { $0 = nil } }

    func stop(deadline: Duration = .milliseconds(500)) async {
        await loop.stop(deadline: deadline)
        // The handler and the loop hold each other; the home's lock goes with the loop.
        reference.loop.withLock { $0 = nil }
    }
}

extension SocketLoop {
    /// Replies to a message on the socket it came by.
    func reply(_ kind: Hidra_V1_Envelope.OneOf_Kind, to message: InboundMessage, partial: Bool = false) {
        let request = message.envelope.requestID
        send(
            partial ? .partial(to: request, kind) : .reply(to: request, kind), to: message.client, on: message.channel)
    }
}

extension EchoDaemon {
    /// Messages of a megabyte at most.
    static var smallMessages: SocketLoop.Configuration {
        var configuration = SocketLoop.Configuration()
        configuration.limits = Limits(messageBytes: 1 << 20, dataRows: 1000, textsPerRequest: 10)
        return configuration
    }
}
