import Foundation
import Tables

struct TicketError: Error {
    let message: String
}

/// The messages with their labels, and messages nobody has labelled.
struct Tickets {
    static let labelColumns = ["intent", "urgency", "tone"]

    let columns: [(name: String, values: [String])]
    let unseen: [String]

    var count: Int { columns[0].values.count }

    /// - Throws: `TicketError` that names the file and what is wrong with it.
    init(folder: URL) throws {
        do {
            let table = try Table.read(path: folder.appending(path: "tickets.csv").path)
            columns = try (["message"] + Self.labelColumns).map { ($0, try table.column($0)) }
            let text = try String(contentsOf: folder.appending(path: "unseen.txt"), encoding: .utf8)
            unseen = text.split(separator: "\n").map(String.init)
        } catch let error as TableError {
            throw TicketError(message: "\(error)")
        } catch {
            throw TicketError(message: "\(folder.path): \(error.localizedDescription)")
        }
    }
}
