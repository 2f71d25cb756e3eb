import Foundation
import HidraClient
import HidraProtocol
import Tables
import Testing

@testable import hidra

@Suite("How a command ends")
struct FailureTests {
    private static let errors: [(any Error, Int32)] = [
        (HidraError(.notFound, "x"), 3), (HidraError(.alreadyExists, "x"), 5), (HidraError(.unavailable, "x"), 6),
        (HidraError(.timeout, "x"), 7), (HidraError(.diskFull, "x"), 9), (HidraError(.corrupt, "x"), 10),
        (HidraError(ErrorCode(rawValue: "from_the_future"), "x"), 1), (CancellationError(), 8),
        (TableError(.missingColumn, "x"), 3), (TableError(.notUTF8, "x"), 4), (TableError(.tooLarge, "x"), 9),
        (TableError(.unknownFormat, "x"), 2), (TableError(.unreadable, "x"), 2),
        (TableError(.unreadable, "x", cause: CocoaError(.fileWriteOutOfSpace)), 9), (CocoaError(.fileNoSuchFile), 1),
    ]

    @Test("Every kind of error has its exit code", arguments: errors)
    func exitCodes(error: any Error, code: Int32) {
        #expect(Failure(error).exitCode == code)
    }

    @Test("A suggestion is shown once")
    func suggestion() {
        let bare = Failure(HidraError(.notFound, "There is no head 'bnk'.", details: ["suggestion": "bank"]))
        #expect(bare.text(style: .plain) == "error: There is no head 'bnk'. Did you mean `bank`?\n")
        let named = Failure(HidraError(.notFound, "No 'bnk'; there is bank.", details: ["suggestion": "bank"]))
        #expect(named.text(style: .plain) == "error: No 'bnk'; there is bank.\n")
    }

    @Test("With --json an error is one line that names code and details")
    func json() throws {
        let failure = Failure(HidraError(.invalidData, "Row 3 is\nbad.", details: ["row": "3"]))
        let line = failure.json.text
        #expect(!line.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["event"] as? String == "error")
        #expect(object["code"] as? String == "invalid_data")
        #expect(object["message"] as? String == "Row 3 is\nbad.")
        #expect(object["details"] as? [String: String] == ["row": "3"])
    }

    @Test("A table's error says file, row and what to do")
    func table() {
        let failure = Failure(TableError(.unknownFormat, "name the format", source: "t.dat", row: 3))
        #expect(failure.message == "t.dat, row 3: name the format (--format).")
        #expect(failure.details == ["file": "t.dat", "row": "3"])
    }
}

/// Signals are the whole process's: one test at a time.
@Suite("What ends work early", .serialized)
struct InterruptionTests {
    @Test("Work that is done in time returns its value")
    func value() async throws {
        #expect(try await Interruption.run(deadline: 60) { 42 } == 42)
    }

    @Test("A deadline cancels the work and is reported as a time-out")
    func deadline() async {
        let error = await #expect(throws: HidraError.self) {
            try await Interruption.run(deadline: 0.01) { try await Task.sleep(for: .seconds(3600)) }
        }
        #expect(error?.code == .timeout)
    }

    @Test("Ctrl-C cancels the work, whatever the work makes of it", arguments: [SIGINT, SIGTERM])
    func signal(number: Int32) async {
        let error = await #expect(throws: HidraError.self) {
            try await Interruption.run(cancelled: "Stopped, nothing kept.") {
                kill(getpid(), number)
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(error?.code == .cancelled)
        #expect(error?.message == "Stopped, nothing kept.")
    }

    @Test("The work's own errors pass through")
    func failure() async {
        await #expect(throws: TableError.self) {
            try await Interruption.run(deadline: 60) { throw TableError(.empty, "x") }
        }
    }
}
