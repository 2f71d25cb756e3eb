import Foundation
import HidraClient
import HidraProtocol
import Sessions
import Tables

/// The data check of a session: each head's rows, as its document says. Heads that read images are left out, and said.
enum SessionDataCheck {
    struct Result: Sendable {
        var head: String
        /// nil: not checked; `note` says why.
        var reply: Hidra_V1_CheckDataReply?
        var note = ""
    }

    /// - Parameter folder: of the document, which its files are relative to.
    static func run(_ plan: SessionPlan, folder: URL, _ session: Session) async throws -> [Result] {
        var results: [Result] = []
        for head in plan.heads {
            guard head.images.isEmpty else {
                results.append(Result(head: head.name, note: "Head '\(head.name)' reads images, which are not checked."))
                continue
            }
            let train = try await rows(head.data, head, folder)
            let test: LabelledRows? = if let file = head.test { try await rows(file, head, folder) } else { nil }
            let reply = try await CheckData.check(request(head, seed: plan.seed), train, test: test, session)
            results.append(Result(head: head.name, reply: reply))
        }
        return results
    }

    /// Prints what was found of each head's rows.
    static func report(_ results: [Result], _ console: Console) throws {
        for result in results {
            guard let reply = result.reply else {
                try console.note(result.note)
                continue
            }
            if console.json {
                try console.print(.event("check", [("head", .string(result.head))] + reply.members))
            } else {
                let report = CheckReport(reply: reply).render(width: console.width, style: console.style)
                try console.print("Rows of \(console.style.bold(result.head)): \(report)")
            }
            for note in reply.notes { try console.note("\(result.head): \(note)") }
        }
    }

    static func request(_ head: SessionPlan.Head, seed: UInt64) -> Hidra_V1_CheckDataRequest {
        var request = Hidra_V1_CheckDataRequest()
        request.inputColumns = head.texts
        request.labelColumn = head.label
        request.task =
            switch head.task {
            case .classify: .classify
            case .multilabel: .multilabel
            case .regress: .regress
            case .tag: .tag
            }
        request.labelSeparator = head.separator
        // Of several encoders the first: what it finds alike, and the labels it contradicts, are so in the others' eyes, too, as a rule.
        request.encoder = head.encoders.first ?? ""
        request.tap = head.encoders.count == 1 ? head.tap : ""
        request.seed = seed
        return request
    }

    private static func rows(_ file: String, _ head: SessionPlan.Head, _ folder: URL) async throws -> LabelledRows {
        let path = file.hasPrefix("/") ? file : folder.appending(path: file).path
        let table = try await TableInput.read(path, format: nil)
        let columns = try (head.texts + [head.label]).map { UploadColumn($0, try table.column($0)) }
        return .texts(columns, sample: [])
    }
}
