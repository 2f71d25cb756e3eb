internal import Glibc

/// Wakes the thread that polls it, from any thread. Signals that come before the next `drain` count as one.
///
/// A non-blocking pipe (Swift's Glibc module has no `eventfd`); it is closed when the last reference goes.
package final class WakeFD: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    package init() throws(ZeroMQError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ZeroMQError(code: errno, operation: "create a wake-up pipe") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    /// For a `poll` of our own: readable once signalled, until drained.
    package var descriptor: Int32 { readEnd }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    package func signal() {
        var byte: UInt8 = 1
        // A full pipe (EAGAIN) already wakes the reader.
        while write(writeEnd, &byte, 1) < 0, errno == EINTR {}
    }

    /// Takes back all signals so far.
    package func drain() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while true {
            let count = read(readEnd, &bytes, 32)
            if count < 32, !(count < 0 && errno == EINTR) { return }
        }
    }

    /// Blocks the calling thread until signalled, then drains. For owned threads only.
    package func wait() {
        var item = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        while poll(&item, 1, -1) < 0, errno == EINTR {}
        drain()
    }
}
