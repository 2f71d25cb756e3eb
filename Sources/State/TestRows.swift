package import Foundation

/// What a run's head said of its test rows: enough to compare two runs row by row, and to draw. Kept as JSON in the run's folder; long
/// columns are packed little-endian, which JSON holds in Base64: some 30 bytes a row.
package struct TestRows: Codable, Sendable, Equatable {
    package static let fileName = "test-rows.json"
    /// Rows beyond which nothing is kept.
    package static let mostRows = 1_000_000
    private static let largestFile = 256 << 20

    package var format = 1
    /// As in a head's record.
    package var task: String
    /// Those the head knows, then those that only test rows have.
    package var labels: [String]
    /// The first 8 bytes of the SHA-256 of each row's inputs and label, in order.
    package var keys: PackedNumbers<UInt64>
    /// classify: positions in `labels`.
    package var actual: PackedNumbers<UInt32>?
    package var predicted: PackedNumbers<UInt32>?
    /// classify: probability of the predicted label.
    package var confidence: PackedNumbers<Float>?
    /// regress.
    package var actualValues: PackedNumbers<Float>?
    package var predictedValues: PackedNumbers<Float>?
    /// multilabel: each row's wrong labels; tag: its wrong words.
    package var errors: PackedNumbers<UInt32>?
    /// Two coordinates for each row of `mapped`: the principal components of what the head reads.
    package var map: PackedNumbers<Float>?
    package var mapped: PackedNumbers<UInt32>?
    package var explained: [Double]?

    package init(task: String, labels: [String], keys: [UInt64]) {
        (self.task, self.labels, self.keys) = (task, labels, PackedNumbers(keys))
    }

    package func write(to folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let url = folder.appendingPathComponent(Self.fileName)
            try FileSystem.remove(url)
            try FileSystem.write(Data(StateJSON.text(self).utf8), to: url)
        } catch {
            throw WorkbenchError.wrapping(error, while: "keeping a run's test rows", at: folder)
        }
    }

    /// nil when the run kept none.
    package static func read(_ folder: URL) throws -> TestRows? {
        let url = folder.appendingPathComponent(fileName)
        guard FileSystem.exists(url) else { return nil }
        do {
            guard try FileSystem.size(ofFile: url) <= largestFile else {
                throw WorkbenchError(.corrupt, "\(url.path) is larger than any run's test rows.")
            }
            let rows = try StateJSON.value(TestRows.self, String(decoding: Data(contentsOf: url), as: UTF8.self))
            guard rows.format == 1 else {
                throw WorkbenchError(.unsupported, "\(url.path) has format \(rows.format); this version of Hidra reads 1. Update Hidra.")
            }
            try rows.validate(url.path)
            return rows
        } catch let error as DecodingError {
            throw WorkbenchError(.corrupt, "\(url.path) is damaged: \(error).", cause: error)
        } catch {
            throw WorkbenchError.wrapping(error, while: "reading \(url.path)", at: folder)
        }
    }

    private func validate(_ path: String) throws {
        let rows = keys.values.count, columns = [actual?.values.count, predicted?.values.count, confidence?.values.count,
            actualValues?.values.count, predictedValues?.values.count, errors?.values.count]
        let positions = [actual, predicted].compactMap { $0 }.flatMap(\.values), points = mapped?.values ?? []
        guard columns.allSatisfy({ $0 == nil || $0 == rows }), positions.allSatisfy({ Int($0) < labels.count }),
            map?.values.count ?? 0 == 2 * points.count, points.allSatisfy({ Int($0) < rows })
        else { throw WorkbenchError(.corrupt, "\(path) is damaged: its columns do not fit each other.") }
    }
}

/// Numbers that are coded as their little-endian bytes.
package struct PackedNumbers<Number: PackableNumber>: Codable, Sendable, Equatable {
    package var values: [Number]

    package init(_ values: [Number]) { self.values = values }

    package init(from decoder: any Decoder) throws {
        let data = try decoder.singleValueContainer().decode(Data.self), size = MemoryLayout<Number>.size
        guard data.count % size == 0 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(data.count) bytes are no numbers of \(size) bytes"))
        }
        values = data.withUnsafeBytes { raw in
            stride(from: 0, to: data.count, by: size).map {
                Number(littleEndianBits: raw.loadUnaligned(fromByteOffset: $0, as: Number.Bits.self))
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var data = Data(capacity: values.count * MemoryLayout<Number>.size)
        for value in values { withUnsafeBytes(of: value.littleEndianBits) { data.append(contentsOf: $0) } }
        var container = encoder.singleValueContainer()
        try container.encode(data)
    }
}

package protocol PackableNumber: Sendable, Equatable {
    associatedtype Bits: BitwiseCopyable
    var littleEndianBits: Bits { get }
    init(littleEndianBits: Bits)
}

extension UInt32: PackableNumber {
    package var littleEndianBits: UInt32 { littleEndian }
    package init(littleEndianBits bits: UInt32) { self.init(littleEndian: bits) }
}

extension UInt64: PackableNumber {
    package var littleEndianBits: UInt64 { littleEndian }
    package init(littleEndianBits bits: UInt64) { self.init(littleEndian: bits) }
}

extension Float: PackableNumber {
    package var littleEndianBits: UInt32 { bitPattern.littleEndian }
    package init(littleEndianBits bits: UInt32) { self.init(bitPattern: UInt32(littleEndian: bits)) }
}
