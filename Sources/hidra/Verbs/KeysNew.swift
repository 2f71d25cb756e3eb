import ArgumentParser
import HidraClient
import HidraProtocol

struct KeysNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a key for one client.",
        discussion: """
            Bring the file to the client's machine by a way that nobody else can read, and delete it here: whoever has it is that \
            client, and it is shown this once. There, `HIDRA_KEY=FILE hidra ls` (or --key FILE) connects.

            infer asks: the registry, predictions, embeddings. train also sends data, trains and follows events. admin may do everything.

            EXAMPLE:
              hidra keys new ana --role train -o ana.key
              hidra keys new kiosk --role infer --open-requests 4 --core-seconds 600 -o kiosk.key

            EXIT CODES: 0 done, 2 wrong arguments, 5 the name or the file exists, 6 no daemon or no right, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Whose key it is.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("What the client may do.", valueName: "infer|train|admin"))
    var role: RoleOption

    @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Write it here, readable by you alone (default: print it).", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Most requests open at a time.", valueName: "count"))
    var openRequests: UInt32 = 0

    @Option(help: ArgumentHelp("Most bytes of data sets and uploads at a time.", valueName: "bytes"))
    var dataBytes: UInt64 = 0

    @Option(help: ArgumentHelp("Most bytes added to the feature cache each day.", valueName: "bytes"))
    var cacheBytes: UInt64 = 0

    @Option(help: ArgumentHelp("Most time of the engine's threads each day.", valueName: "seconds"))
    var coreSeconds: Double = 0

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard coreSeconds >= 0, coreSeconds.isFinite else {
            throw ValidationError("--core-seconds takes a number above 0; it was \(coreSeconds).")
        }
    }

    func run() async throws {
        var quota = Hidra_V1_Quota()
        quota.openRequests = openRequests
        quota.dataBytes = dataBytes
        quota.cacheBytes = cacheBytes
        quota.coreSeconds = coreSeconds
        let quotaOfKey = quota
        try await Session.run(common) { session in
            let key = try await session.client.createKey(name, role: role.role, quota: quotaOfKey)
            let console = session.console
            if let output {
                do { try key.write(to: output) } catch {
                    // A key that nobody has must not stay.
                    _ = try await session.client.revokeKey(name)
                    throw error
                }
                if !console.json { try console.print("Key '\(key.name)', role \(role.rawValue), is in \(output).") }
            } else if !console.json {
                try console.print(key.text)
            }
            if console.json {
                try console.print(
                    .event(
                        "result",
                        [
                            ("name", .string(key.name)), ("role", .string(role.rawValue)), ("endpoint", .string(key.endpoint)),
                            ("server_key", .string(key.serverKey)), ("public_key", .string(key.publicKey)),
                        ] + (output.map { [("file", .string($0))] } ?? [("secret_key", .string(key.secretKey))])))
            }
            if key.endpoint.isEmpty {
                try console.note(
                    "This daemon does not listen on the network: stop it, and start it with `hidrad --listen tcp://HOST:PORT`.")
            }
        }
    }
}

enum RoleOption: String, ExpressibleByArgument, CaseIterable, Sendable {
    case infer, train, admin

    var role: Role {
        switch self {
        case .infer: .infer
        case .train: .train
        case .admin: .admin
        }
    }
}
