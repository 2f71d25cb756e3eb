import ArgumentParser
import HidraClient
import HidraProtocol

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the keys, revoked ones included.",
        discussion: """
            EXAMPLE:
              hidra keys ls

            EXIT CODES: 0 done, 2 wrong arguments, 6 no daemon or no right, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let keys = try await session.client.keys(), console = session.console
            if console.json { return try console.print(.event("result", [("keys", .array(keys.map(\.json)))])) }
            guard !keys.isEmpty else { return try console.print("There are no keys. `hidra keys new NAME --role infer` makes one.") }
            var grid = Grid([
                .init("KEY", flexible: true), .init("ROLE"), .init("MADE"), .init("REVOKED"), .init("QUOTA", flexible: true),
            ])
            for key in keys {
                grid.add(
                    key.name, key.role, Format.date(key.created), key.revoked > 0 ? Format.date(key.revoked) : "", key.quota.text)
            }
            try console.print(grid.render(width: console.width, style: console.style))
        }
    }
}

extension Hidra_V1_Key {
    var json: JSON {
        .object([
            ("name", .string(name)), ("role", .string(role)), ("public_key", .string(publicKey)), ("created", .number(created)),
            ("revoked", revoked > 0 ? .number(revoked) : .null),
            (
                "quota",
                .object([
                    ("open_requests", .unsigned(UInt64(quota.openRequests))), ("data_bytes", .unsigned(quota.dataBytes)),
                    ("cache_bytes", .unsigned(quota.cacheBytes)), ("core_seconds", .number(quota.coreSeconds)),
                ])
            ),
        ])
    }
}

extension Hidra_V1_Quota {
    /// "4 requests, 1.0 GB of data"; empty for none.
    fileprivate var text: String {
        var parts: [String] = []
        if openRequests > 0 { parts.append(Format.count(UInt64(openRequests), "request")) }
        if dataBytes > 0 { parts.append("\(Format.bytes(dataBytes)) of data") }
        if cacheBytes > 0 { parts.append("\(Format.bytes(cacheBytes)) of cache a day") }
        if coreSeconds > 0 { parts.append("\(Format.duration(coreSeconds)) of a core a day") }
        return parts.joined(separator: ", ")
    }
}
