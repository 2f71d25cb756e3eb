import Foundation
import HidraClient
import HidraProtocol
import Tables

/// How a command ended that did not end well: what to print, and the exit code from the protocol's one table.
struct Failure {
    var exitCode: Int32
    var code: String
    /// What went wrong and what to do next.
    var message: String
    var details: [String: String] = [:]
    /// The whole text is ready to print as it is (the argument parser's, with its usage lines).
    var isComplete = false

    init(_ error: any Error) {
        switch error {
        case let error as HidraError:
            self.init(error.code, error.message, error.details)
        case let error as TableError:
            self.init(error.protocolCode, error.advice, error.details)
        case is CancellationError:
            self.init(.cancelled, "Cancelled.")
        default:
            self.init(.internalError, "\(error). This is a defect in hidra: please report it.")
        }
    }

    private init(_ code: ErrorCode, _ message: String, _ details: [String: String] = [:]) {
        exitCode = code.exitCode
        self.code = code.rawValue
        self.message = message
        self.details = details
    }

    /// Of a command line that cannot be understood; `text` is the argument parser's, usage lines included.
    init(usage text: String) {
        self.init(.invalidArgument, text)
        isComplete = true
    }

    /// Text for standard error. A suggestion the daemon sent is added when its message does not name it already.
    func text(style: Style) -> String {
        if isComplete { return message + "\n" }
        // Whoever cancels knows; to call that an error would be pedantic.
        var text = code == ErrorCode.cancelled.rawValue ? message : "\(style.red("error:")) \(message)"
        if let suggestion = details["suggestion"], !suggestion.isEmpty, !message.contains(suggestion) {
            text += " Did you mean `\(suggestion)`?"
        }
        return text + "\n"
    }

    /// Line for standard output with `--json`.
    var json: JSON {
        .event("error", [("code", .string(code)), ("message", .string(message)), ("details", .map(details))])
    }
}

extension TableError {
    /// What the error counts as in the protocol's one table of codes.
    var protocolCode: ErrorCode {
        switch code {
        case .notFound, .missingColumn: .notFound
        // The one reason for which a result file cannot be written that has a code of its own.
        case .unreadable where (cause as? CocoaError)?.code == .fileWriteOutOfSpace: .diskFull
        case .unreadable, .unknownFormat: .invalidArgument
        case .tooLarge: .limitExceeded
        case .empty, .notUTF8, .malformed, .missingValue: .invalidData
        }
    }

    fileprivate var advice: String {
        code == .unknownFormat ? "\(description) (--format)." : description
    }

    fileprivate var details: [String: String] {
        var details: [String: String] = [:]
        details["file"] = source
        details["row"] = row.map(String.init)
        details["line"] = line.map(String.init)
        return details
    }
}
