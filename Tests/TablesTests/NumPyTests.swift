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
        #expect((data.count - array.bytes.count) % 64 == 0)
        #expect(try NumPyArray(decoding: data) == array)
    }

    @Test("Blocks written one by one give the same file, and nothing else is left in the folder")
    func streaming() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("features.npy").path
            let values = (0..<30).map(Float.init)
            let array = NumPyArray(values, rows: 10, width: 3)
            let writer = try NumPyWriter(path: path, rows: 10, width: 3)
            try writer.append(Array(values[..<12]))
            #expect(!FileManager.default.fileExists(atPath: path))
            try writer.append([])
            try writer.append(Array(values[12...]))
            try writer.finish()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["features.npy"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == array.encoded())
            #expect(try NumPyArray.read(path: path) == array)
        }
    }

    /// Bytes that NumPy 2.4 writes for the same two by three array of 0...5, whatever the order on disk.
    @Test("Other orders are read as ours", arguments: [("<i2", false), (">i2", false), ("<i2", true), (">i2", true)])
    func orders(type: String, isFortran: Bool) throws {
        let text = "{'descr': '\(type)', 'fortran_order': \(isFortran ? "True" : "False"), 'shape': (2, 3), }"
        let order: [UInt8] = isFortran ? [0, 3, 1, 4, 2, 5] : [0, 1, 2, 3, 4, 5]
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0]
        bytes += Array(text.utf8)
        for value in order { bytes += type.hasPrefix(">") ? [0, value] : [value, 0] }
        let array = try NumPyArray(decoding: Data(bytes))
        #expect(array == NumPyArray(.int16, shape: [2, 3], bytes: Data([0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0])))
    }

    @Test("Every type and rank survives a round", arguments: NumPyArray.Element.allCases, [[], [0], [3], [2, 1, 2]])
    func rounds(element: NumPyArray.Element, shape: [Int]) throws {
        let count = shape.reduce(element.size, *)
        let array = NumPyArray(element, shape: shape, bytes: Data((0..<count).map { UInt8($0 % 2) }))
        #expect(try NumPyArray(decoding: array.encoded()) == array)
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
        ("version 9", { $0[6] = 9 }),
        ("cut off in the header", { $0.removeSubrange(60...) }),
        ("cut off in the values", { $0.removeLast() }),
        ("longer than its shape", { $0.append(0) }),
        ("64-bit floats", { $0[23] = UInt8(ascii: "8") }),
        ("another third dimension", { replace(&$0, "(2, 2), ", "(2,2,2),") }),
        ("one dimension of another size", { replace(&$0, "(2, 2), ", "(5,),    ") }),
        ("records", { replace(&$0, "'<f4'", "'|V4'") }),
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
