import Foundation
import Testing

@testable import PluginHost

@Suite("What a plugin prints")
struct LogIntakeTests {
    private let zero = ContinuousClock.Instant.now

    private func take(_ text: String, _ intake: inout LogIntake, after seconds: Double = 0) -> [String] {
        Array(text.utf8).withUnsafeBytes { intake.lines($0, zero + .seconds(seconds)) }
    }

    @Test("lines come whole, however they arrive")
    func lines() {
        var intake = LogIntake(zero)
        #expect(take("on", &intake) == [])
        #expect(take("e\ntwo\nthr", &intake) == ["one", "two"])
        #expect(intake.last() == ["thr"] && intake.last() == [])
    }

    @Test("long lines are cut, terminal commands and invalid bytes are replaced")
    func cleans() {
        var intake = LogIntake(zero)
        let long = take(String(repeating: "x", count: 100_000) + "\n", &intake)
        #expect(long.count == 1 && long[0].utf8.count < LogIntake.longestLine + 8 && long[0].hasSuffix("…"))
        #expect(take("a\u{1B}[2Jb\r\n", &intake) == ["a\u{FFFD}[2Jb"])
        let invalid = [0x61, 0xFF, 0x0A].map { UInt8($0) }.withUnsafeBytes { intake.lines($0, zero) }
        #expect(invalid == ["a\u{FFFD}"])
    }

    @Test("a flood loses lines, which are counted, and is heard again when it has calmed down")
    func flood() {
        var intake = LogIntake(zero)
        let line = String(repeating: "y", count: 99) + "\n"
        var kept = 0
        for _ in 0..<100 { kept += take(String(repeating: line, count: 100), &intake).count }
        #expect(kept <= LogIntake.burst / 100 && kept > LogIntake.burst / 200)
        #expect(kept + intake.dropped == 10_000)
        let after = take("calm\n", &intake, after: 10)
        #expect(after == ["(\(intake.dropped) lines left out: too many at a time)", "calm"])
    }

    @Test("a log is rotated: two files, each bounded")
    func rotates() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-log-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var log = PluginLog(folder: folder)
        let line = String(repeating: "z", count: 1000)
        for index in 0..<5000 { log.append(["\(index) \(line)"]) }
        let sizes = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            try FileManager.default.attributesOfItem(atPath: folder.appending(path: $0).path)[.size] as? Int ?? 0
        }
        #expect(sizes.count == 2 && sizes.allSatisfy { $0 < PluginLog.longest + 2000 })
        #expect(log.tail(3).map { $0.split(separator: " ")[1] } == ["4997", "4998", "4999"])
        log.close()
    }
}
