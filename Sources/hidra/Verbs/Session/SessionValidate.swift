import ArgumentParser
import HidraClient
import HidraProtocol
import Sessions

struct SessionValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a session document, its data and the memory it needs. Starts nothing.",
        discussion: """
            A key that is not known is an error that names its line and the nearest known one. With --document alone the data are not \
            looked at, and no daemon is needed. Of each head's rows it tells what `hidra check` tells: duplicates, rows that training and \
            test data share, rare labels, likely label errors, …; such faults stop nothing.

            EXAMPLE:
              hidra session validate triage.yaml

            EXIT CODES: 0 it can start, 2 the document is wrong, 3 no such file, column or encoder, 4 data that cannot be used, \
            5 a name is taken, 6 the daemon cannot be reached, 9 too little memory, 10 a document for a newer version.
            """)

    @Argument(help: ArgumentHelp("The session document.", valueName: "file"), completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String

    @Flag(name: .customLong("document"), help: "Check the document alone.")
    var documentOnly = false

    @Flag(name: .customLong("no-check"), help: "Do not look for faults in the rows.")
    var skipsRows = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let document = try SessionDocument(file), console = Console(json: common.json)
        if documentOnly { return try Self.report(document.plan, nil, [], console) }
        try await Session.run(common) { session in
            var request = Hidra_V1_StartSessionRequest()
            request.document = document.text
            request.files = try await document.upload(session)
            request.checkOnly = true
            let reply = try await session.client.startSession(request)
            if !skipsRows { try await document.checkRows(session) }
            try Self.report(document.plan, reply.estimate, reply.notes, session.console)
        }
    }

    private static func report(
        _ plan: SessionPlan, _ estimate: Hidra_V1_SessionEstimate?, _ notes: [String], _ console: Console
    ) throws {
        if console.json {
            return try console.print(
                .event(
                    "result",
                    [
                        ("session", .string(plan.name)), ("heads", .strings(plan.heads.map(\.name))),
                        ("encoders", .strings(plan.encoders)), ("files", .strings(plan.files)), ("plugins", .strings(plan.plugins)),
                        ("needed_bytes", estimate.map { .unsigned($0.neededBytes) } ?? .null),
                        ("available_bytes", estimate.map { .unsigned($0.availableBytes) } ?? .null), ("notes", .strings(notes)),
                    ]))
        }
        for note in notes { try console.note(note) }
        let memory = estimate.map { " It needs about \(Format.bytes($0.neededBytes)) of memory, and \(Format.bytes($0.availableBytes)) are free." } ?? ""
        try console.print(
            "\(console.style.green(console.style.check)) Session \(console.style.bold(plan.name)): \(Format.list(plan.heads.map(\.name))) on "
                + "\(Format.list(plan.encoders)); \(what(plan.train.what)).\(memory)")
    }

    private static func what(_ trainable: SessionPlan.Trainable) -> String {
        switch trainable {
        case .heads: "heads alone are trained"
        case .lora(let lowRank): "with adapters of rank \(lowRank.rank) at \(Format.list(lowRank.targets))"
        case .top(let layers): "with the top \(layers == 1 ? "layer" : "\(layers) layers")"
        }
    }
}
