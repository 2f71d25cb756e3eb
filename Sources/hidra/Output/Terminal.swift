import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One of the process's output streams, and what it can show.
struct Terminal: Sendable {
    let descriptor: Int32
    /// False for a pipe or a file: no colours, no moving text, nothing cut to fit.
    let isInteractive: Bool
    let style: Style
    /// Whether text may be redrawn in place.
    let canRedraw: Bool
    private let columns: Int?

    static let output = Terminal(descriptor: STDOUT_FILENO, environment: Environment.process)
    static let errors = Terminal(descriptor: STDERR_FILENO, environment: Environment.process)

    init(descriptor: Int32, environment: Environment) {
        self.init(descriptor: descriptor, isInteractive: isatty(descriptor) == 1, environment: environment)
    }

    /// `NO_COLOR` (https://no-color.org) turns colours off; `TERM=dumb` colours and redrawing; a locale that is not
    /// UTF-8 turns bars and marks into ASCII.
    init(descriptor: Int32, isInteractive: Bool, environment: Environment) {
        let dumb = environment["TERM"] == "dumb" || environment["TERM"] == nil
        let noColour = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        let locale = environment["LC_ALL"] ?? environment["LC_CTYPE"] ?? environment["LANG"] ?? ""
        let upper = locale.uppercased()
        self.descriptor = descriptor
        self.isInteractive = isInteractive
        canRedraw = isInteractive && !dumb
        style = Style(
            colour: isInteractive && !dumb && !noColour,
            unicode: !isInteractive || upper.contains("UTF-8") || upper.contains("UTF8"))
        columns = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Columns to fit lines into, asked anew each time because windows change; nil when the stream is no terminal.
    var width: Int? {
        guard isInteractive else { return nil }
        var size = winsize()
        if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return columns ?? 80
    }

    /// Writes all of `text`; throws when the stream takes no more, e.g. because the disk is full.
    func write(_ text: String) throws {
        var bytes = text[...]
        let failure = bytes.withUTF8 { buffer -> Int32 in
            var rest = UnsafeRawBufferPointer(buffer)[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                #if canImport(Glibc)
                    let written = Glibc.write(descriptor, base, rest.count)
                #elseif canImport(Musl)
                    let written = Musl.write(descriptor, base, rest.count)
                #else
                    let written = Darwin.write(descriptor, base, rest.count)
                #endif
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, 1000)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
        guard failure != 0 else { return }
        let reason = String(cString: strerror(failure))
        throw HidraError(
            failure == ENOSPC || failure == EDQUOT ? .diskFull : .internalError,
            "Cannot write the output: \(reason). Is there room, and does the program that reads it still run?")
    }
}

/// Environment variables; a value, so that tests can set their own.
struct Environment: Sendable {
    var values: [String: String]

    subscript(name: String) -> String? { values[name] }

    /// Those this program looks at.
    static let process = Environment(
        values: [
            "TERM", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "COLUMNS", "PATH", "HIDRA_DAEMON", "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
        ].reduce(into: [:]) { values, name in
            if let value = getenv(name) { values[name] = String(cString: value) }
        })
}
