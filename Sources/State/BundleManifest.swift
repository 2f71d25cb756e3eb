package import Foundation

/// `manifest.json` of a bundle: the registry's record of it, so that the registry can be rebuilt from the folders.
///
///     {"encoder": {"name": "minilm", …}, "format": 1}
package struct BundleManifest: Codable, Hashable, Sendable {
    package static let fileName = "manifest.json"
    package static let currentFormat = 1
    /// A manifest is a few kilobytes; a head with a million labels stays below this.
    static let largestSize = 64 << 20

    package enum Record: Hashable, Sendable {
        case encoder(EncoderRecord)
        case head(HeadRecord)
    }

    package let record: Record

    package init(_ record: Record) { self.record = record }

    var name: String {
        switch record {
        case .encoder(let encoder): encoder.name
        case .head(let head): head.name
        }
    }

    var files: [BundleFile] {
        switch record {
        case .encoder(let encoder): encoder.files
        case .head(let head): head.files
        }
    }

    private enum CodingKeys: String, CodingKey { case format, encoder, head }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let format = try container.decode(Int.self, forKey: .format)
        guard format == Self.currentFormat else {
            throw WorkbenchError(
                .unsupported,
                "This bundle has format \(format); this version of Hidra reads format \(Self.currentFormat).")
        }
        if let encoder = try container.decodeIfPresent(EncoderRecord.self, forKey: .encoder) {
            record = .encoder(encoder)
        } else {
            record = .head(try container.decode(HeadRecord.self, forKey: .head))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.currentFormat, forKey: .format)
        switch record {
        case .encoder(let record): try container.encode(record, forKey: .encoder)
        case .head(let record): try container.encode(record, forKey: .head)
        }
    }

    /// Writes the manifest into a staged folder, replacing one that is there.
    package func write(to folder: URL) throws {
        do {
            let url = folder.appendingPathComponent(Self.fileName)
            try FileSystem.remove(url)
            try FileSystem.write(Data(StateJSON.text(self).utf8), to: url)
        } catch {
            throw WorkbenchError.wrapping(error, while: "writing the manifest of '\(name)'", at: folder)
        }
    }

    /// Reads a bundle's manifest and checks that it belongs to this folder. Fails with `corrupt` or `unsupported`.
    package static func read(_ folder: URL) throws -> BundleManifest {
        let url = folder.appendingPathComponent(fileName)
        do {
            guard FileSystem.exists(url) else {
                throw WorkbenchError(.corrupt, "\(folder.path) has no \(fileName).")
            }
            guard try FileSystem.size(ofFile: url) <= largestSize else {
                throw WorkbenchError(.corrupt, "\(url.path) is larger than any manifest.")
            }
            let manifest = try StateJSON.value(
                BundleManifest.self, String(decoding: Data(contentsOf: url), as: UTF8.self))
            guard manifest.name == folder.lastPathComponent else {
                throw WorkbenchError(.corrupt, "\(url.path) belongs to '\(manifest.name)'.")
            }
            return manifest
        } catch let error as DecodingError {
            throw WorkbenchError(.corrupt, "\(url.path) is not a manifest: \(error).", cause: error)
        } catch {
            throw WorkbenchError.wrapping(error, while: "reading \(url.path)", at: folder)
        }
    }
}

/// JSON as stored in the registry and in manifests: sorted keys, and numbers that JSON lacks as strings, because the
/// loss of a diverged run is NaN and must not make its record unwritable.
enum StateJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: Data(text.utf8))
    }
}
