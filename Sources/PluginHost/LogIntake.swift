/// Makes lines of what a plugin prints, at most so many bytes a second; what is more is counted and left out.
struct LogIntake: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Longer lines are cut.
    static let longestLine = 4096
    static let bytesPerSecond = 64 << 10
    static let burst = 256 << 10

    private var line: [UInt8] = []
    private var isCut = false
    private var budget = Double(burst)
    private var refilled: Instant
    private var isDropping = false
    /// Since `lines` last told of it.
    private var untold = 0
    private(set) var dropped = 0

    init(_ now: Instant) { refilled = now }

    /// The lines that `bytes` complete, without what a terminal would take for a command.
    mutating func lines(_ bytes: UnsafeRawBufferPointer, _ now: Instant) -> [String] {
        budget = min(Double(Self.burst), budget + (now - refilled) / .seconds(1) * Double(Self.bytesPerSecond))
        refilled = now
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                complete(&lines)
            } else if line.count < Self.longestLine {
                line.append(byte)
            } else {
                isCut = true
            }
        }
        return lines
    }

    /// What is left when nothing more will come.
    mutating func last() -> [String] {
        var lines: [String] = []
        if !line.isEmpty { complete(&lines) }
        tell(&lines)
        return lines
    }

    private mutating func complete(_ lines: inout [String]) {
        defer { (line, isCut) = ([], false) }
        // Once it is too much, half of the budget must come back: else every other line would be left out.
        let needed = isDropping ? Double(Self.burst) / 2 : Double(line.count + 1)
        guard budget >= needed else {
            isDropping = true
            untold += 1
            dropped += 1
            return
        }
        budget -= Double(line.count + 1)
        tell(&lines)
        lines.append(Self.printable(line) + (isCut ? " …" : ""))
    }

    private mutating func tell(_ lines: inout [String]) {
        isDropping = false
        if untold > 0 { lines.append("(\(untold) lines left out: too many at a time)") }
        untold = 0
    }

    private static func printable(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar != "\r" { plain.append(isControl(scalar) ? "\u{FFFD}" : scalar) }
        return String(plain)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        (scalar.value < 0x20 && scalar != "\t") || (0x7F...0x9F).contains(scalar.value)
    }
}
