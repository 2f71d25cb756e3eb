import ArgumentParser
import Dispatch
import Foundation
import Tables

/// The words of `--format`.
enum FormatOption: String, ExpressibleByArgument, CaseIterable, Sendable {
    case csv, tsv, jsonl

    var format: TableFormat {
        switch self {
        case .csv: .csv
        case .tsv: .tsv
        case .jsonl: .jsonl
        }
    }
}

/// Tables of the command line: a path, or "-" for standard input.
enum TableInput {
    static let standardInput = "-"

    /// Reads the table on a queue of its own, because a slow pipe blocks for as long as it likes.
    static func read(_ path: String, format: FormatOption?) async throws -> Table {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "hidra.table").async {
                continuation.resume(with: Result { try readNow(path, format?.format) })
            }
        }
    }

    private static func readNow(_ path: String, _ format: TableFormat?) throws -> Table {
        guard path == standardInput else { return try Table.read(path: path, format: format) }
        guard let format else { throw needsFormat }
        var data = Data()
        while let block = try FileHandle.standardInput.read(upToCount: 1 << 20), !block.isEmpty {
            data += block
            // The reader refuses what is larger; no need to take in all of it.
            if data.count > Table.defaultSizeLimit { break }
        }
        return try Table.read(data: data, format: format, name: "standard input")
    }

    static let needsFormat = ValidationError(
        "Standard input has no name that tells its format: add --format csv, tsv or jsonl.")

    /// Whether the name says that the file is a table.
    static func isTable(_ path: String) -> Bool {
        do {
            _ = try TableFormat(path: path)
            return true
        } catch {
            return false
        }
    }
}
