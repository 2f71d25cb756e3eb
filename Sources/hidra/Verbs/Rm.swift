import ArgumentParser
import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct Rm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove heads or encoders.",
        discussion: """
            A head goes at once. An encoder that heads were trained on goes only together with them: on a terminal you \
            are asked, elsewhere say --with-heads.

            EXAMPLE:
              hidra rm intent urgency
              hidra rm minilm --with-heads --yes

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder or head, 5 in use or has heads, 8 not confirmed.
            """)

    @Argument(help: ArgumentHelp("Heads or encoders.", valueName: "name"))
    var names: [String]

    @Flag(help: "Remove an encoder's heads with it.")
    var withHeads = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if names.isEmpty { throw ValidationError("Name at least one head or encoder; `hidra ls` lists them.") }
    }

    func run() async throws {
        try await Session.run(common) { session in
            let console = session.console
            let registered = try await session.client.list()
            let affected = Removal(names: names, registered: registered)
            var withHeads = withHeads
            if !affected.heads.isEmpty, !yes, !common.json, isatty(STDIN_FILENO) == 1, console.errors.isInteractive {
                guard try await confirm(affected, console) else {
                    throw HidraError(.cancelled, "Nothing was removed.")
                }
                withHeads = true
            }
            var removed: [String] = []
            var freed: UInt64 = 0
            // A head named here may already have gone with its encoder.
            for name in names where !removed.contains(name) {
                let reply = try await remove(name, withHeads: withHeads, session)
                removed += reply.removed
                freed += reply.bytesFreed
            }
            if common.json {
                let members: [(String, JSON)] = [("removed", .strings(removed)), ("bytes_freed", .unsigned(freed))]
                return try console.print(.event("result", members))
            }
            try console.print(
                "Removed \(Format.list(removed))" + (freed > 0 ? ", \(Format.bytes(freed)) freed" : "") + ".")
        }
    }

    /// One call; only the advice on an encoder that has heads is ours.
    private func remove(_ name: String, withHeads: Bool, _ session: Session) async throws -> Hidra_V1_RemoveReply {
        do {
            return try await session.client.remove(name, withHeads: withHeads)
        } catch var error as HidraError where !withHeads && [.conflict, .alreadyExists].contains(error.code) {
            error.message += " With --with-heads this command removes them too."
            throw error
        }
    }

    private func confirm(_ affected: Removal, _ console: Console) async throws -> Bool {
        try console.errors.write(affected.question + " [y/N] ")
        let answer = try await LineFeed.standardInput().next(limit: 1).first ?? ""
        return ["y", "yes"].contains(answer.filter { !$0.isWhitespace }.lowercased())
    }
}

/// What removing `names` takes along.
struct Removal {
    let encoders: [String]
    /// Heads of those encoders that were not named themselves.
    let heads: [String]

    init(names: [String], registered: Hidra_V1_ListReply) {
        let encoders = registered.encoders.map(\.name).filter(names.contains)
        self.encoders = encoders
        heads = registered.heads.filter { encoders.contains($0.encoder) && !names.contains($0.name) }.map(\.name)
    }

    var question: String {
        let count = Format.count(UInt64(heads.count), "head")
        let shown = heads.count > 8 ? heads.prefix(7) + ["\(heads.count - 7) more"] : heads[...]
        return "\(Format.list(encoders)) has \(count): \(Format.list(Array(shown))). Remove them too?"
    }
}
