import CAllocationCount
import Foundation

/// What a stretch of work takes from the heap and from the system.
struct StepMemory {
    private let resident: Int
    private let allocations: UInt64

    /// Begins to measure: the peak counts from here.
    init() {
        // On Linux "5" sets the peak of resident memory back to what is resident now.
        // Elsewhere, or where that is forbidden, the peak is the program's.
        if let file = fopen("/proc/self/clear_refs", "w") {
            fputs("5", file)
            fclose(file)
        }
        resident = Self.status("VmRSS")
        allocations = allocation_count()
    }

    /// Calls of malloc and its kin since the beginning.
    var calls: Int { Int(allocation_count() - allocations) }

    /// Megabytes by which resident memory rose at most since the beginning.
    var peakMegabytes: Double { Double(Self.status("VmHWM") - resident) / 1e6 }

    /// A field of /proc/self/status in bytes; 0 where there is none.
    private static func status(_ field: String) -> Int {
        guard let text = FileManager.default.contents(atPath: "/proc/self/status") else { return 0 }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix(field + ":") {
            return line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first.map { $0 * 1024 } ?? 0
        }
        return 0
    }
}
