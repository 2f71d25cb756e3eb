import Dispatch
import HidraClient
import HidraProtocol
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Lines of a file or pipe in batches: all that is there, up to a limit. A slow pipe is answered line by line, a fast
/// one in full batches. The blocking reads happen on a queue of their own; it waits when the consumer falls behind.
final class LineFeed: Sendable {
    private struct State {
        var lines: [String] = []
        var ended = false
        var failure: HidraError?
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    /// Counts the lines that may still be buffered; the reader takes one for each line.
    private let room: DispatchSemaphore
    private let name: String
    /// Lines handed over at a time; never more than there is room for.
    private let piece: Int

    /// - Parameters:
    ///   - descriptor: open for reading; closed at the end of input unless it is standard input.
    ///   - name: what the input is called in errors.
    init(descriptor: Int32, name: String, buffered: Int = 4096) {
        self.name = name
        piece = min(256, buffered)
        // Counted up from 0: a semaphore may not go away while it is below the value it was made with.
        room = DispatchSemaphore(value: 0)
        for _ in 0..<buffered { room.signal() }
        DispatchQueue(label: "hidra.lines").async { self.read(descriptor) }
    }

    static func standardInput() -> LineFeed { LineFeed(descriptor: STDIN_FILENO, name: "standard input") }

    static func file(_ path: String) throws -> LineFeed {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let missing = errno == ENOENT
            throw HidraError(
                missing ? .notFound : .invalidArgument,
                "Cannot read \(path): \(String(cString: strerror(errno))). "
                    + (missing ? "Check the path." : "Check its permissions."))
        }
        return LineFeed(descriptor: descriptor, name: path)
    }

    /// The next lines, at least one and at most `limit`, without their line ends; empty at the end of the input.
    /// Lines that are not UTF-8 throw with their number.
    func next(limit: Int) async throws -> [String] {
        while true {
            try Task.checkCancellation()
            let batch: [String]? = try state.withLock { state in
                if !state.lines.isEmpty {
                    let batch = Array(state.lines.prefix(limit))
                    state.lines.removeFirst(batch.count)
                    return batch
                }
                if let failure = state.failure { throw failure }
                return state.ended ? [] : nil
            }
            if let batch {
                for _ in batch { room.signal() }
                return batch
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ready = state.withLock { state in
                        if !state.lines.isEmpty || state.ended || Task.isCancelled { return true }
                        state.waiting = continuation
                        return false
                    }
                    if ready { continuation.resume() }
                }
            } onCancel: {
                wake { _ in }
            }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    private func read(_ descriptor: Int32) {
        var splitter = LineSplitter(name: name)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        do {
            while true {
                let count = buffer.withUnsafeMutableBytes { readOnce(descriptor, $0) }
                guard count >= 0 else {
                    throw HidraError(
                        .invalidArgument,
                        "Cannot read \(name): \(String(cString: strerror(errno))). Is it a text file?")
                }
                let lines = count == 0 ? try splitter.finish() : try splitter.take(buffer[..<count])
                push(lines)
                if count == 0 { break }
            }
            wake { $0.ended = true }
        } catch {
            push(splitter.pending)
            wake { state in
                state.failure = error as? HidraError ?? HidraError(.internalError, "\(error)")
                state.ended = true
            }
        }
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    private func push(_ lines: [String]) {
        for start in stride(from: 0, to: lines.count, by: piece) {
            let part = lines[start..<min(start + piece, lines.count)]
            for _ in part { room.wait() }
            wake { $0.lines += part }
        }
    }

    private func readOnce(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Musl)
                let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            if count >= 0 || errno != EINTR { return count }
        }
    }
}
