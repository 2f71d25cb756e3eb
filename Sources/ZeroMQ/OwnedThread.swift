internal import Glibc

/// A thread of our own, for what must not run on Swift's cooperative pool: polling, blocking system calls.
package enum OwnedThread {
    /// Starts a detached thread. It handles no signals, so those reach the main thread and interrupt nothing here.
    ///
    /// - Parameter name: shown by `ps -T`; 15 bytes at most.
    package static func start(_ name: String, _ run: @escaping @Sendable () -> Void) throws(ZeroMQError) {
        let code = withSignalsBlocked { create(ThreadBody(name: name, run: run)) }
        if code != 0 { throw ZeroMQError(code: code, operation: "start thread \(name)") }
    }

    private static func create(_ body: ThreadBody) -> Int32 {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(body)
        let code = pthread_create(&thread, nil, enter, retained.toOpaque())
        if code == 0 { pthread_detach(thread) } else { retained.release() }
        return code
    }

    /// A new thread inherits the mask, so it is blocked from its first instruction on.
    private static func withSignalsBlocked(_ body: () -> Int32) -> Int32 {
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &previous)
        let result = body()
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        return result
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
}

private func enter(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    nameThisThread(body.name)
    body.run()
    return nil
}

/// Only for people who look at the process: failure is of no consequence.
private func nameThisThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = write(file, bytes, bytes.count)
    close(file)
}
