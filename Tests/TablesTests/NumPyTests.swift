import Foundation
import Tables
import Testing

@Suite("NumPy arrays are written and read")
struct NumPyTests {
    /// `numpy.save` of `numpy.array([[1, -2.5], [0, 3e38]], dtype='float32')`, NumPy 2.4.
    private static let saved: [UInt8] =
        [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0]
        + Array("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".utf8)
        + Array(repeating: 0x20, count: 58) + [0x0A]
        + [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0, 0, 0, 0, 0, 0xE6, 0xB1, 0x61, 0x7F]

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("npy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try body(folder)
    }

    @Test("An array has the bytes that NumPy writes")
    func savedBytes() throws {
        let array = NumPyArray([1, -2.5, 0, 3e38], rows: 2, width: 2)
        #expect([UInt8](array.encoded()) == Self.saved)
        #expect(try NumPyArray(decoding: Data(Self.saved)) == array)
    }

    @Test(
        "Values begin at a multiple of 64 bytes, whatever the shape", arguments: [(0, 384), (1, 1), (1234, 33), (7, 0)])
    func alignment(rows: Int, width: Int) throws {
        let array = NumPyArray(Array(repeating: 0.5, count: rows * width), rows: rows, width: width)
        let data = array.encoded()
        #expect((data.count - array.values.count * 4) % 64 == 0)
        #expect(try NumPyArray(decoding: data) == array)
    }

    @Test("Blocks written one by one give the same file, and nothing else is left in the folder")
    func streaming() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("features.npy").path
            let array = NumPyArray((0..<30).map(Float.init), rows: 10, width: 3)
            let writer = try NumPyWriter(path: path, rows: 10, width: 3)
            try writer.append(Array(array.values[..<12]))
            #expect(!FileManager.default.fileExists(atPath: path))
            try writer.append([])
            try writer.append(Array(array.values[12...]))
            try writer.finish()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["features.npy"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == array.encoded())
            #expect(try NumPyArray.read(path: path) == array)
        }
    }

    @Test("A writer that is not finished leaves the old file as it was")
    func abandoned() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("features.npy")
            try Data("old".utf8).write(to: url)
            do {
                let writer = try NumPyWriter(path: url.path, rows: 2, width: 1)
                try writer.append([1])
                let error = try #require(throws: TableError.self) { try writer.finish() }
                #expect(error.message.contains("1 of 2"))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["features.npy"])
            #expect(try Data(contentsOf: url) == Data("old".utf8))
        }
    }

    @Test("A folder that is not there is an error")
    func missingFolder() throws {
        try withFolder { folder in
            let error = try #require(throws: TableError.self) {
                try NumPyWriter(path: folder.appendingPathComponent("no/features.npy").path, rows: 1, width: 1)
            }
            #expect(error.code == .unreadable)
        }
    }

    /// Changes that make `saved` something else.
    static let damages: [(about: String, change: @Sendable (inout [UInt8]) -> Void)] = [
        ("empty", { $0 = [] }),
        ("another file", { $0 = Array("PK\u{3}\u{4}................".utf8) }),
        ("version 2", { $0[6] = 2 }),
        ("cut off in the header", { $0.removeSubrange(60...) }),
        ("cut off in the values", { $0.removeLast() }),
        ("longer than its shape", { $0.append(0) }),
        ("64-bit floats", { $0[23] = UInt8(ascii: "8") }),
        ("a third dimension", { replace(&$0, "(2, 2), ", "(2,1,2),") }),
        ("one dimension", { replace(&$0, "(2, 2), ", "(4,),    ") }),
        ("a negative shape", { replace(&$0, "(2, 2), ", "(-2,-2),") }),
        ("a shape beyond all memory", { replace(&$0, "(2, 2), }", "(9223372036854775807,4), }") }),
    ]

    @Test("What is no such array is refused", arguments: damages.indices)
    func damaged(index: Int) throws {
        var bytes = Self.saved
        Self.damages[index].change(&bytes)
        let error = try #require(throws: TableError.self, "\(Self.damages[index].about)") {
            try NumPyArray(decoding: Data(bytes))
        }
        #expect(error.code == .malformed)
    }

    /// Replaces text in the header, at the cost of its padding.
    private static func replace(_ bytes: inout [UInt8], _ old: String, _ new: String) {
        guard let range = bytes.firstRange(of: Array(old.utf8)) else { return }
        bytes.replaceSubrange(range, with: Array(new.utf8))
        let padding = bytes.firstRange(of: [0x20, 0x20, 0x20])?.lowerBound ?? 0
        for _ in 0..<max(0, new.utf8.count - old.utf8.count) { bytes.remove(at: padding) }
    }
}
