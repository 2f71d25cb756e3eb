internal import CZeroMQ
internal import Glibc

/// A libzmq or system call that failed.
package struct ZeroMQError: Error, Sendable, CustomStringConvertible {
    /// The `errno` of the call, libzmq's own numbers included.
    package var code: Int32
    /// What was attempted, e.g. `bind ipc:///run/user/1000/hidra-1a2b3c4d/control.sock`.
    package var operation: String
    package var message: String

    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
        message = String(cString: zmq_strerror(code))
    }

    /// The error of the libzmq call that just failed on this thread.
    static func last(_ operation: @autoclosure () -> String) -> ZeroMQError {
        ZeroMQError(code: zmq_errno(), operation: operation())
    }

    /// The context was terminated: leave the loop.
    package var isTerminated: Bool { code == hidra_zmq_ETERM }
    /// A ROUTER with mandatory routing knows no such peer.
    package var isUnreachable: Bool { code == EHOSTUNREACH }
    /// Another socket is bound to the endpoint.
    package var isAddressInUse: Bool { code == EADDRINUSE }

    package var description: String { "\(operation): \(message) (\(code))" }
}
