import Foundation
import Synchronization

/// Runs a program to its end on the calling thread, which must not belong to the cooperative pool.
///
/// The program gets its own process group, so that stopping it also stops what it has started, and none of our open
/// files. Its outputs are read for its whole life, so that it never waits for us.
enum ChildProcess {
    struct Outcome: Sendable {
        /// Exit status, or the signal's number when `wasKilled`.
        var status: Int32
        var wasKilled: Bool
        /// The end of what it printed as errors, and as output unless somebody took that; at most 8 KiB.
        var output: String
    }

    /// Time between two looks at cancellation and progress.
    private static let tick: Int32 = 100
    /// How long a stopped program may take to end by itself.
    private static let patience: Duration = .milliseconds(500)
    /// What a pipe takes without a reader.
    private static let longestInput = 32 << 10

    /// - Parameters:
    ///   - input: what the program finds on its standard input, at most 32 KiB.
    ///   - stall: the program is stopped when it prints nothing and `progress` does not change for so long.
    ///   - output: takes its standard output as it comes; what it throws stops the program.
    ///   - progress: called about ten times a second; returns any measure of what has been done.
    static func run(
        _ executable: URL, _ arguments: [String], input: Data = Data(), environment: [String: String], directory: URL,
        stall: Duration, cancellation: CancellationFlag, output: ((UnsafeRawBufferPointer) throws -> Void)? = nil,
        progress: () throws -> Int64 = { 0 }
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = directory
        let errorPipe = Pipe(), outputPipe = output == nil ? errorPipe : Pipe()
        process.standardError = errorPipe
        process.standardOutput = outputPipe
        let ended = Ended()
        process.terminationHandler = { _ in ended.set() }
        // Foundation keeps a process that has ended, and with it our ends of its pipes.
        defer { for pipe in Set([errorPipe, outputPipe]) { pipe.fileHandleForReading.closeFile() } }
        try start(process, input)

        let tail = Tail()
        var lines = [Line(errorPipe) { tail.append($0) }]
        if let output { lines.append(Line(outputPipe, output)) }
        var lastProgress: Int64 = 0
        var lastSign = ContinuousClock.now
        do {
            while !ended.isSet {
                try cancellation.check()
                let printed = try read(&lines, waiting: tick, ended)
                let done = try progress()
                if printed || done != lastProgress { lastSign = .now }
                lastProgress = done
                guard ContinuousClock.now - lastSign < stall else {
                    throw HubError(
                        .timeout,
                        "\(executable.lastPathComponent) did nothing for \(stall) and was stopped. "
                            + "Check the network and try again.")
                }
            }
            // What it printed last may still be in the pipes.
            while try read(&lines, waiting: 0, ended) { try cancellation.check() }
        } catch {
            stop(process, ended)
            throw error
        }
        return Outcome(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: tail.text)
    }

    private static func start(_ process: Process, _ input: Data) throws {
        let pipe = Pipe()
        process.standardInput = pipe
        precondition(input.count <= longestInput, "input for a child process: \(input.count) bytes")
        // Before the program runs: while we hold the reading end ourselves, this can neither block nor fail.
        try pipe.fileHandleForWriting.write(contentsOf: input)

        // A program inherits which signals its parent's thread holds back, and threads made by Dispatch hold back
        // nearly all: it would not hear SIGTERM.
        var none = sigset_t(), before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        do {
            try process.run()
        } catch {
            let path = process.executableURL?.path ?? ""
            throw HubError(.unavailable, "Could not start \(path): \(error)", cause: error)
        }
        try pipe.fileHandleForWriting.close()
    }

    /// Asks the process group to end, then makes it.
    private static func stop(_ process: Process, _ ended: Ended) {
        kill(-process.processIdentifier, SIGTERM)
        let deadline = ContinuousClock.now + patience
        while !ended.isSet, ContinuousClock.now < deadline { ended.wait(20) }
        // Members of the group that outlived their leader keep its number taken.
        kill(-process.processIdentifier, SIGKILL)
        while !ended.isSet { ended.wait(20) }
    }

    /// Waits up to `milliseconds` for something to read on any line, and reads it; true when there was.
    private static func read(_ lines: inout [Line], waiting milliseconds: Int32, _ ended: Ended) throws -> Bool {
        var requests = lines.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard !requests.isEmpty else {
            ended.wait(Int(milliseconds))
            return false
        }
        guard poll(&requests, nfds_t(requests.count), milliseconds) > 0 else { return false }
        var hasRead = false
        for (index, request) in requests.enumerated().reversed() where request.revents != 0 {
            if try lines[index].read() {
                hasRead = true
            } else {
                // A closed pipe would answer at once, forever.
                lines.remove(at: index)
            }
        }
        return hasRead
    }

    /// One of the program's outputs.
    private struct Line {
        /// Keeps the descriptor open.
        private let pipe: Pipe
        private let take: (UnsafeRawBufferPointer) throws -> Void

        init(_ pipe: Pipe, _ take: @escaping (UnsafeRawBufferPointer) throws -> Void) {
            self.pipe = pipe
            self.take = take
        }

        var descriptor: CInt {
            pipe.fileHandleForReading.fileDescriptor
        }

        /// Reads what is there; false at the end.
        func read() throws -> Bool {
            try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { buffer in
                let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
                try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return true
            }
        }
    }

    /// The last bytes of a text. A class, as the closure that fills it outlives the statement that makes it.
    private final class Tail {
        private static let longest = 8 << 10
        private var bytes: [UInt8] = []

        func append(_ more: UnsafeRawBufferPointer) {
            bytes += more
            if bytes.count > Self.longest { bytes.removeFirst(bytes.count - Self.longest) }
        }

        var text: String {
            String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Set by Foundation's own thread once the process has ended.
    private final class Ended: Sendable {
        private let condition = DispatchSemaphore(value: 0)
        private let flag = Atomic(false)

        func set() {
            flag.store(true, ordering: .releasing)
            condition.signal()
        }

        var isSet: Bool {
            flag.load(ordering: .acquiring)
        }

        func wait(_ milliseconds: Int) {
            _ = condition.wait(timeout: .now() + .milliseconds(milliseconds))
        }
    }
}
