internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// A libzmq context, the only ZeroMQ object that threads share: each makes its own sockets from it.
///
/// Whoever creates a context terminates it, after the sockets made from it are gone. Terminating blocks, so it is
/// never left to `deinit`.
///
/// `@unchecked Sendable`: libzmq guarantees that a context may be used from any thread; the handle never changes, and
/// `terminated` keeps it from being freed twice.
package final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    private let terminated = Atomic(false)

    package init(ioThreads: Int32 = 1) throws(ZeroMQError) {
        guard let handle = zmq_ctx_new() else { throw .last("create a context") }
        self.handle = handle
        // Without this a forgotten socket with unsent messages would keep `terminate` waiting for ever.
        zmq_ctx_set(handle, ZMQ_BLOCKY, 0)
        zmq_ctx_set(handle, ZMQ_IO_THREADS, ioThreads)
    }

    /// Waits until the sockets' last messages are sent or their linger time is over, then frees the context.
    package func terminate() {
        guard terminated.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }

    /// Whether the libzmq found at run time has an optional feature: `ipc`, `curve`, `draft`.
    package static func has(_ capability: String) -> Bool { zmq_has(capability) == 1 }
}
