import Graphs
import Heads
package import HidraProtocol
import Hub
import PluginHost
import Sessions
import State
import Workbench

/// An error as it goes over the wire. The one place where errors of the inner targets become codes of the protocol.
package struct Failure: Error {
    package var code: ErrorCode
    package var message: String
    var details: [String: String] = [:]

    init(_ code: ErrorCode, _ message: String, details: [String: String] = [:]) {
        self.code = code
        self.message = message
        self.details = details
    }

    package init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as WorkbenchError: self.init(Self.code(error.code), error.message, details: error.details)
        case let error as HeadError: self.init(WorkbenchError(error))
        case let error as GraphError: self.init(error)
        case let error as HubError: self.init(ErrorCode(rawValue: error.code.rawValue), error.message)
        case let error as SessionError: self.init(error)
        case let error as PluginError: self.init(error.code, error.message, details: error.details)
        case let error as TransportError: self.init(error.code, error.message)
        case is CancellationError: self.init(.cancelled, "Cancelled.")
        default:
            self.init(
                .internalError,
                "Something unexpected went wrong: \(error). The log (hidrad.log in HIDRA_HOME) may say more.")
        }
    }

    private static func code(_ code: WorkbenchError.Code) -> ErrorCode {
        switch code {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .conflict: .conflict
        case .invalidData: .invalidData
        case .corrupt: .corrupt
        case .diskFull: .diskFull
        case .cancelled: .cancelled
        case .interrupted: .interrupted
        case .limitExceeded: .limitExceeded
        case .unsupported: .unsupported
        case .unavailable: .unavailable
        case .timeout: .timeout
        case .internalError: .internalError
        }
    }
}

extension Failure: RetryableCallError {
    /// Whether whoever was asked may come back.
    package var isRetryable: Bool { code == .unavailable || code == .timeout }
}
