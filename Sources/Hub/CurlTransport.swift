import Foundation
import Synchronization

/// Sends HTTP requests through the `curl` program; follows no redirects, keeps nothing in memory.
///
/// Why not URLSession: on Linux (Swift 6.3.1, swift-corelibs-foundation) it
/// - ends the whole process on a response that breaks off within its headers ("Fatal error: Transfer completed, but
///   there's no response"), which a proxy can cause at any time;
/// - watches a new connection for being writable until its first response ends, and so keeps one core busy for as long
///   as a download takes;
/// - hands data on without ever pausing the sender, so what a slow disk has not taken piles up in memory;
/// - brings libcurl and some 25 more libraries into a daemon that seldom downloads.
/// A program of its own can do none of that to the daemon, and is stopped by ending it.
struct CurlTransport: Sendable {
    /// `PATH`, proxies and certificates.
    let environment: [String: String]
    /// A folder that exists, for curl to run in.
    let directory: URL
    let idleTimeout: Duration

    private static let passed: Set = [
        "PATH", "HOME", "LANG", "LC_ALL",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
    ]

    /// Sends `request` and returns when the response is complete. Cancelling the task ends the transfer at once.
    ///
    /// Throws `PassingFailure` for what may go better next time, `HubError` for what will not, or what the sink threw.
    func send(_ request: HTTPRequest, to sink: any HTTPSink) async throws -> HTTPHead {
        guard let curl = Executable.find("curl", environment) else {
            throw HubError(
                .unavailable,
                "curl is missing, and with it the way to the hub. Install it, for example with "
                    + "'apt install curl'.")
        }
        let settings = try settings(request)
        return try await OwnedThread.run("curl") { cancellation in
            let reader = ResponseReader(sink)
            let outcome = try ChildProcess.run(
                curl, ["--disable", "--config", "-"], input: settings,
                environment: environment.filter { Self.passed.contains($0.key) }, directory: directory,
                // curl watches for a standstill itself; this is for a curl that hangs.
                stall: (request.deadline ?? idleTimeout) + idleTimeout + .seconds(10), cancellation: cancellation,
                output: { try reader.receive($0) })
            return try finish(reader, outcome, request.url)
        }
    }

    /// curl's settings, one a line, read from its standard input: arguments could be read by every user, and the token
    /// with them.
    private func settings(_ request: HTTPRequest) throws -> Data {
        let idle = max(1, idleTimeout.components.seconds)
        var lines = [
            "silent", "show-error", "include", "no-buffer", "globoff", "suppress-connect-headers",
            "proto = \"=http,https\"", "connect-timeout = \(idle)", "speed-limit = 1", "speed-time = \(idle)",
            "user-agent = \"hidra\"", "url = \(try quoted(request.url.absoluteString))",
            // Sizes and ranges count the bytes as they are stored.
            "header = \"Accept-Encoding: identity\"",
        ]
        if request.method == .head { lines.append("head") }
        if let deadline = request.deadline { lines.append("max-time = \(max(1, deadline.components.seconds))") }
        for (name, value) in request.headers { lines.append("header = \(try quoted("\(name): \(value)"))") }
        return Data((lines.joined(separator: "\n") + "\n").utf8)
    }

    private func quoted(_ text: String) throws -> String {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw HubError(.invalidArgument, "An address or header for the hub holds a control character.")
        }
        let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        return "\"\(escaped)\""
    }

    private func finish(_ reader: ResponseReader, _ outcome: ChildProcess.Outcome, _ url: URL) throws -> HTTPHead {
        let host = url.host ?? url.absoluteString
        // The first line is the reason; what may follow is advice that curl gives to its own users.
        let said = outcome.output.split(whereSeparator: \.isNewline).first.map(String.init) ?? "curl said nothing"
        switch outcome.wasKilled ? -1 : outcome.status {
        case 0:
            guard let head = reader.head else {
                throw PassingFailure(HubError(.unavailable, "\(host) does not answer as a web server does."))
            }
            return head
        case 28:
            throw PassingFailure(
                HubError(.timeout, "\(host) does not answer, or sent nothing for \(idleTimeout) (\(said))."))
        case 35, 53, 54, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91:
            throw HubError(
                .unavailable,
                "No trusted connection to \(host) (\(said)). If a proxy has its own certificate authority, "
                    + "install it, or name its file in CURL_CA_BUNDLE.")
        case 3:
            throw HubError(.invalidArgument, "'\(url.absoluteString)' is no usable address.")
        case 1, 8, 61:
            throw PassingFailure(
                HubError(
                    .unavailable,
                    "\(host) does not answer as a web server does (\(said)). Check HF_ENDPOINT and the "
                        + "proxy settings."))
        default:
            throw PassingFailure(
                HubError(
                    .unavailable,
                    "\(host) cannot be reached, or broke off (\(said)). Check the network and the proxy "
                        + "settings, then try again."))
        }
    }

    /// Passes curl's output on to the sink. Used by one thread; the lock is for the compiler.
    private final class ResponseReader: Sendable {
        private let parser = Mutex(HTTPHeadParser())
        private let sink: any HTTPSink

        init(_ sink: any HTTPSink) {
            self.sink = sink
        }

        var head: HTTPHead? {
            parser.withLock { $0.head }
        }

        func receive(_ bytes: UnsafeRawBufferPointer) throws {
            if head != nil { return try sink.receive(bytes) }
            let body: ArraySlice<UInt8>?
            do {
                body = try parser.withLock { try $0.feed(bytes) }
            } catch {
                throw PassingFailure(
                    HubError(.unavailable, "The hub's answer is not one of a web server (\(error)).", cause: error))
            }
            guard let body, let head else { return }
            try sink.begin(head)
            if !body.isEmpty { try body.withUnsafeBytes { try sink.receive($0) } }
        }
    }
}
