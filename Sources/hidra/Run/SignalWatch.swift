import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Turns SIGINT and SIGTERM into calls on a queue while it is watched.
///
/// The handler only writes a byte into a pipe, which is all a signal handler may safely do; a queue reads it.
/// (On Linux, Dispatch's own signal sources miss signals that arrive on a thread it did not make.)
final class SignalWatch {
    private static let numbers = [SIGINT, SIGTERM]
    private let source: any DispatchSourceRead

    /// From here until `end`, the signals call `handler`, one call for each, and do nothing else.
    init(_ handler: @escaping @Sendable () -> Void) {
        let descriptor = pipeEnds.read
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "hidra.signals"))
        source.setEventHandler {
            var bytes: [UInt8] = [0, 0, 0, 0]
            let count = read(descriptor, &bytes, bytes.count)
            for _ in 0..<max(0, count) { handler() }
        }
        source.activate()
        for number in Self.numbers { signal(number, noteSignal) }
    }

    /// The signals end the process again, as they do by default.
    func end() {
        for number in Self.numbers { signal(number, SIG_DFL) }
        source.cancel()
    }
}

/// One pipe for the whole process: handlers of signals belong to it too.
private let pipeEnds: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "SignalWatch: no pipe: \(String(cString: strerror(errno)))")
    for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        // A full pipe must not block the handler, nor an empty one the reader.
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    return (ends[0], ends[1])
}()

private func noteSignal(_: Int32) {
    let before = errno
    var byte: UInt8 = 1
    _ = write(pipeEnds.write, &byte, 1)
    errno = before
}
