import Foundation
import Testing

@testable import Hub

@Suite("DEFLATE", .enabled(if: FixtureProcess.isPresent, "needs python3, whose zlib packs the samples"))
struct InflateTests {
    private struct Sample: Decodable {
        var name: String
        var plain: Data
        var packed: [String: Data]
    }

    private static let shared = Result { try FixtureProcess.ask("deflate cases") as [Sample] }

    private static func samples() throws -> [Sample] {
        try shared.get()
    }

    /// Decodes with input that arrives `step` bytes at a time.
    private static func decode(_ packed: Data, limit: Int, step: Int = 1 << 20) throws -> Data {
        let stream = Stream(packed, step)
        let count = try Inflate.decode(limit: Int64(limit), read: stream.read, write: stream.write)
        #expect(count == stream.plain.count)
        return stream.plain
    }

    private final class Stream {
        private var packed: Data
        private let step: Int
        private(set) var plain = Data()

        init(_ packed: Data, _ step: Int) {
            self.packed = packed
            self.step = step
        }

        func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
            let count = min(step, buffer.count, packed.count)
            packed.copyBytes(to: buffer, count: count)
            packed = Data(packed.dropFirst(count))
            return count
        }

        func write(_ bytes: UnsafeRawBufferPointer) {
            plain.append(contentsOf: bytes)
        }
    }

    @Test("Everything that zlib packs is unpacked to the same bytes")
    func unpacksAll() throws {
        for sample in try Self.samples() {
            for (variant, packed) in sample.packed {
                let plain = try Self.decode(packed, limit: sample.plain.count)
                #expect(plain == sample.plain, "\(sample.name), \(variant)")
            }
        }
    }

    @Test("Input may arrive in pieces of any size", arguments: [1, 7, 8, 9, 1_000])
    func unpacksPieces(step: Int) throws {
        let sample = try #require(try Self.samples().first { $0.name == "few symbols" })
        for (variant, packed) in sample.packed {
            #expect(try Self.decode(packed, limit: sample.plain.count, step: step) == sample.plain, "\(variant)")
        }
    }

    @Test("A stream that is cut off is reported, wherever the cut is")
    func reportsCut() throws {
        let sample = try #require(try Self.samples().first { $0.name == "hexadecimal numbers" })
        for (variant, packed) in sample.packed {
            for cut in stride(from: 0, to: packed.count - 1, by: max(1, packed.count / 61)) {
                #expect(throws: DeflateError.self, "\(variant), cut at \(cut)") {
                    try Self.decode(packed.prefix(cut), limit: sample.plain.count)
                }
            }
        }
    }

    @Test("Output stops at the limit")
    func stopsAtLimit() throws {
        let sample = try #require(try Self.samples().first { $0.name == "a run of one byte" })
        for packed in sample.packed.values {
            #expect(throws: DeflateError.tooLong) { try Self.decode(packed, limit: sample.plain.count - 1) }
        }
    }

    @Test("Damaged streams give an error or wrong bytes, but never more than the limit and never a crash")
    func survivesDamage() throws {
        var generator = SystemRandomNumberGenerator()
        var failures = 0
        for sample in try Self.samples() where sample.plain.count <= 30_000 {
            for packed in sample.packed.values where packed.count > 2 {
                for _ in 0..<12 {
                    var damaged = packed
                    for _ in 0..<Int.random(in: 1...4, using: &generator) {
                        damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^= UInt8.random(in: 1...255)
                    }
                    do {
                        #expect(try Self.decode(damaged, limit: sample.plain.count).count <= sample.plain.count)
                    } catch is DeflateError {
                        failures += 1
                    }
                }
            }
        }
        #expect(failures > 0)
    }

    @Test("A block type that does not exist is refused")
    func refusesBlockType() {
        #expect(throws: DeflateError.damaged) { try Self.decode(Data([0b111]), limit: 10) }
    }
}
