import ArgumentParser
import Foundation
import HidraClient
import HidraPlugin
import HidraProtocol

/// A task plugin: its own process, its own data, three heads on an encoder that the daemon holds.
@main
struct TicketTriage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket-triage",
        abstract: "Trains intent, urgency and tone heads on support messages and sorts unseen ones.",
        discussion: """
            Examples:
              ticket-triage --data Plugins/ticket-triage/data
              ticket-triage --serve                              # as the daemon runs it
            """)

    @Option(help: "Folder with tickets.csv and unseen.txt.") var data = "Plugins/ticket-triage/data"
    @Option(help: "Encoder to sit on; fetched when it is not there.") var encoder = "minilm"
    @Option(help: "Share of the messages kept for testing.") var holdout = 0.2
    @Flag(help: "Train only the heads that are not there, and stay until the daemon says goodbye.") var serve = false

    func run() async throws {
        do {
            try await triage()
        } catch let error as HidraError {
            FileHandle.standardError.write(Data("ticket-triage: \(error.message)\n".utf8))
            throw ExitCode(error.code.exitCode)
        } catch let error as TicketError {
            FileHandle.standardError.write(Data("ticket-triage: \(error.message)\n".utf8))
            throw ExitCode(ErrorCode.invalidData.exitCode)
        }
    }

    private func triage() async throws {
        let tickets = try Tickets(folder: URL(filePath: data))
        let plugin = try await TaskPlugin.connect(name: "ticket-triage", version: "1.0.0")
        let progress = ProgressLine()
        try await plugin.prepare(encoder: encoder) { progress.show($0) }
        if serve, try await Set(plugin.heads()).isSuperset(of: Tickets.labelColumns.map { "ticket-\($0)" }) {
            await plugin.untilGoodbye()
            return
        }

        let rows = try await plugin.upload(tickets.columns, textColumn: "message")
        let heads = Tickets.labelColumns.map { column in
            HeadSpecification(name: "ticket-\(column)", labelColumn: column, replace: true)
        }
        let trained = try await plugin.attach(heads, to: rows, encoder: encoder, holdout: holdout) { progress.show($0) }
        let answers = try await plugin.predict(tickets.unseen, heads: heads.map(\.name))
        progress.clear()

        Report(tickets: tickets, encoder: encoder).print(trained, answers)
        if serve { await plugin.untilGoodbye() }
        await plugin.close()
    }
}
