import Foundation
import Tables
import Testing

@testable import Sessions

@Suite("Session documents to start from")
struct SessionDraftTests {
    private func file(_ path: String, _ csv: String) throws -> SessionDraft.File {
        SessionDraft.File(path: path, table: try Table.read(data: Data(csv.utf8), format: .csv, name: path))
    }

    private var tickets: String {
        "id,message,intent,urgency,tags,price,words\n"
            + (0..<60).map { row in
                "T\(row),please look at parcel number \(row),\(["refund", "delivery", "fault"][row % 3]),\(row % 4),"
                    + "\(row % 2 == 0 ? "a|b" : "a"),\(Double(row) * 1.37),O O O B-thing I-thing O"
            }.joined(separator: "\n") + "\n"
    }

    @Test("tasks are guessed from the columns, the reasons stand beside them, and the document is read again")
    func guesses() throws {
        let draft = try SessionDraft([try file("tickets.csv", tickets)], encoder: "minilm")
        let plan = try SessionPlan(document: draft.text)
        #expect(plan.name == "tickets" && plan.encoders == ["minilm"])
        let tasks = Dictionary(uniqueKeysWithValues: plan.heads.map { ($0.name, $0.task) })
        #expect(tasks == ["intent": .classify, "urgency": .classify, "tags": .multilabel, "price": .regress, "words": .tag])
        #expect(plan.heads.allSatisfy { $0.texts == ["message"] && $0.holdout == 0.2 && $0.data == "tickets.csv" })
        // Names that nobody could use as labels are said, not dropped.
        #expect(draft.notes.count == 1 && draft.notes[0].contains("'id'"))
        for part in ["3 different values in 60 rows", "delivery 20, fault 20, refund 20", "30 of 60 rows have several labels", "# 60 rows"] {
            #expect(draft.text.contains(part), "\(part)")
        }
    }

    @Test("a file of test rows goes with the one it belongs to")
    func tests() throws {
        let csv = "text,category\n" + (0..<40).map { "some words here \($0),\($0 % 2 == 0 ? "x" : "y")" }.joined(separator: "\n")
        let plan = try SessionPlan(
            document: SessionDraft([try file("data/train.csv", csv), try file("data/test.csv", csv)], name: "bank", encoder: "minilm").text)
        #expect(plan.heads.count == 1 && plan.heads[0].data == "data/train.csv" && plan.heads[0].test == "data/test.csv")
        #expect(plan.name == "bank")
    }

    @Test("names that YAML or the registry would take for something else are quoted or changed", arguments: [
        ("odd: name, with # signs", "my \"label\""), ("yes", "no"), ("text", "null"), ("Überschrift", "Größe"), ("1", "2"), ("a\tb", "c\\d"),
    ])
    func names(_ text: String, _ label: String) throws {
        func cell(_ value: String) -> String { "\"" + value.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }
        let csv = "\(cell(text)),\(cell(label))\n" + (0..<40).map { "some words here \($0),\($0 % 2 == 0 ? "x: #1" : "y")" }.joined(separator: "\n")
        let plan = try SessionPlan(document: SessionDraft([try file("my data.csv", csv)], encoder: "minilm").text)
        #expect(plan.heads[0].texts == [text] && plan.heads[0].label == label && plan.heads[0].data == "my data.csv")
    }

    @Test("two files with a column of one name make two heads; nothing to learn is an error that says what was seen")
    func several() throws {
        let csv = "text,category\n" + (0..<40).map { "some words here \($0),\($0 % 2 == 0 ? "x" : "y")" }.joined(separator: "\n")
        let plan = try SessionPlan(
            document: SessionDraft([try file("a.csv", csv), try file("b.csv", csv)], encoder: "minilm").text)
        #expect(plan.heads.map(\.name) == ["category", "b-category"])
        #expect(throws: SessionError.self) { try SessionDraft([try file("n.csv", "a,b\n1,2\n3,4\n")], encoder: "minilm") }
    }
}
