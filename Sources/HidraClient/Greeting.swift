internal import Glibc
internal import HidraProtocol

/// How a client introduces itself, and how long it waits.
struct Greeting: Sendable {
    let client: String
    let deadline: ContinuousClock.Instant
    /// How long the daemon may owe a sign of life.
    let silence: Duration
    /// The longest this client is silent.
    let heartbeat: Duration
    /// Whether it is the daemon that has started this program, if it is a plugin: another's token is not its business.
    var takesToken = false

    var hello: Hidra_V1_Hello {
        var hello = Hidra_V1_Hello()
        hello.protocolMin = ProtocolVersion.supported.lowerBound
        hello.protocolMax = ProtocolVersion.supported.upperBound
        hello.client = client
        hello.heartbeatSeconds = UInt32(clamping: max(1, heartbeat.components.seconds))
        if takesToken { hello.pluginToken = Self.variable("HIDRA_PLUGIN_TOKEN") ?? "" }
        return hello
    }

    /// Half of what either side has promised or asks for, so that one late heartbeat does no harm.
    func interval(welcome: Hidra_V1_Welcome?) -> Duration {
        let asked = welcome.map { $0.heartbeatSeconds == 0 ? 10 : Int($0.heartbeatSeconds) } ?? 10
        return min(.seconds(asked) / 2, silence / 3, heartbeat / 2)
    }

    /// `HIDRA_HEARTBEAT`, or 10 seconds.
    static func promised() throws(HidraError) -> Duration {
        guard let text = variable("HIDRA_HEARTBEAT") else { return .seconds(10) }
        guard let seconds = Int(text), (1...86_400).contains(seconds) else {
            throw HidraError(.invalidArgument, "HIDRA_HEARTBEAT is \"\(text)\"; it must be a number of seconds from 1 to 86400.")
        }
        return .seconds(seconds)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
