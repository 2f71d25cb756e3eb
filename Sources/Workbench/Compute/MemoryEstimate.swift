import Encoders
import Foundation
import State

/// What an encoder needs in memory, against what there is: asked before anything is loaded.
package struct MemoryEstimate: Sendable {
    private let name: String
    /// Packed weights, and room for what one unit of work computes.
    let needed: Int

    /// Room for the intermediate results of one unit of work, and for packing one matrix.
    private static let working = 48 << 20

    init(_ record: EncoderRecord, _ precision: Precision) {
        name = record.name
        // Half-precision checkpoints are unpacked to fp32; in int8 the embeddings stay in the mapped file, so that this errs on the
        // safe side.
        let weights = record.parameters * (precision == .int8 ? 1 : MemoryLayout<Float>.stride)
        needed = weights + Self.working
    }

    /// - Throws: `limitExceeded` with both numbers.
    func require(available: Int?) throws {
        guard let available, available < needed else { return }
        throw WorkbenchError(
            .limitExceeded,
            "Encoder '\(name)' needs about \(needed >> 20) MB of memory, and only \(available >> 20) MB are free. End other programs, "
                + "stop the daemon's other encoders with `hidra stop`, or choose a smaller encoder or --precision int8.",
            details: ["needed_bytes": String(needed), "available_bytes": String(available)])
    }

    /// Bytes that this process can still get: what Linux calls available, or less where a control group allows less. nil where neither
    /// says.
    package static func available() -> Int? {
        [system(), controlGroup()].compactMap { $0 }.min()
    }

    private static func system() -> Int? {
        guard let line = lines("/proc/meminfo").first(where: { $0.hasPrefix("MemAvailable:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    private static func controlGroup() -> Int? {
        func number(_ file: String) -> Int? { lines("/sys/fs/cgroup/" + file).first.flatMap { Int($0) } }
        guard let limit = number("memory.max"), let used = number("memory.current") else { return nil }
        // Pages of files count as used, but can be dropped.
        let files = lines("/sys/fs/cgroup/memory.stat").first { $0.hasPrefix("inactive_file ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        return max(0, limit - used + files)
    }

    /// None when the file cannot be read: not every system has it.
    private static func lines(_ path: String) -> [Substring] {
        guard let bytes = FileManager.default.contents(atPath: path) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
