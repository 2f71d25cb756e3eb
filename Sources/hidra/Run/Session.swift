import HidraClient
import HidraProtocol

/// A verb's connection to the daemon and to the terminal.
struct Session: Sendable {
    let client: HidraClient
    let console: Console

    /// Connects, runs `body` and says goodbye, whatever happens in between; Ctrl-C and `--timeout` end it early.
    ///
    /// - Parameter cancelled: what Ctrl-C comes to, for the user.
    static func run<Value: Sendable>(
        _ options: CommonOptions, startDaemon: Bool = true, cancelled: String = "Cancelled.",
        _ body: @escaping @Sendable (Session) async throws -> Value
    ) async throws -> Value {
        let console = Console(json: options.json)
        let restore = console.errors.canRedraw && !options.json ? ProgressRenderer.showCursor : ""
        return try await Interruption.run(deadline: options.timeout, cancelled: cancelled, restore: restore) {
            let client = try await HidraClient.connect(
                remote: try RemoteDaemon.named(server: options.server, keyFile: options.key), client: "hidra \(Hidra.version)", startDaemon: startDaemon,
                timeout: .seconds(min(options.timeout ?? connectSeconds, connectSeconds)))
            do {
                let value = try await body(Session(client: client, console: console))
                await client.close()
                return value
            } catch {
                await client.close()
                throw error
            }
        }
    }

    private static let connectSeconds = 10.0

    /// Texts in one predict or embed request: what the daemon takes, and not so many that the first answer waits long.
    var batchSize: Int { max(1, min(client.limits.textsPerRequest, Self.largestBatch)) }

    private static let largestBatch = 1024

    /// Runs a job with its progress on display. Returns its reply and the notes already shown.
    func job<Reply: Sendable>(
        _ body: (@escaping @Sendable (Hidra_V1_Progress) -> Void) async throws -> Reply
    ) async throws -> (reply: Reply, notes: [String]) {
        let display = ProgressDisplay(console)
        do {
            let reply = try await body { display.show($0) }
            return (reply, try await display.complete())
        } catch {
            await display.abandon()
            throw error
        }
    }
}
