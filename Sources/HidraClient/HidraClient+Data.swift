public import Foundation
internal import HidraProtocol

/// One column of a table to upload.
public struct UploadColumn: Sendable {
    public enum Values: Sendable {
        /// Texts, labels, numbers.
        case texts([String])
        /// Encoded images and the like, as they are.
        case files([Data])
    }

    public let name: String
    public let values: Values

    public init(_ name: String, _ texts: [String]) { (self.name, values) = (name, .texts(texts)) }

    public init(_ name: String, files: [Data]) { (self.name, values) = (name, .files(files)) }

    var count: Int {
        switch values {
        case .texts(let texts): texts.count
        case .files(let files): files.count
        }
    }

    /// Bytes of a row's value.
    func size(_ row: Int) -> Int {
        switch values {
        case .texts(let texts): texts[row].utf8.count
        case .files(let files): files[row].count
        }
    }

    func part(_ rows: Range<Int>) -> Hidra_V1_Column {
        var part = Hidra_V1_Column()
        part.name = name
        switch values {
        case .texts(let texts): part.values = Array(texts[rows])
        case .files(let files): part.blobs = Array(files[rows])
        }
        return part
    }
}

extension HidraClient {
    /// Bytes of texts in one append: small beside the limit, so that the daemon never decodes for long.
    static let uploadChunkBytes = 1 << 20

    /// Uploads a table and returns the name by which `train` and `evaluate` know it. The daemon keeps it until
    /// `dropRows`, or until this client closes.
    ///
    /// - Parameters:
    ///   - columns: all of one length; labels are text too.
    ///   - named: a name of your own; nil: one that is new.
    /// - Throws: `invalidArgument`, `invalidData` or `limitExceeded` before anything is sent; the last with the row.
    public func upload(columns: [UploadColumn], named: String? = nil) async throws -> String {
        let name = named ?? Self.newDataName()
        try await append(columns, to: name, after: 0)
        return name
    }

    public static func newDataName() -> String { "data-" + String(UInt64.random(in: 0...(.max)), radix: 16) }

    /// Adds rows to a table, for tables that are not in memory as a whole.
    ///
    /// - Parameters:
    ///   - columns: the same names and kinds each time.
    ///   - present: rows that the table has already.
    public func append(_ columns: [UploadColumn], to name: String, after present: Int) async throws {
        let rows = try check(columns, present)
        var first = 0
        while first < rows {
            let end = try chunkEnd(columns, from: first, rows)
            var request = Hidra_V1_AppendRowsRequest()
            request.data = name
            request.firstRow = UInt64(present + first)
            request.columns = columns.map { $0.part(first..<end) }
            let reply = try await ask(.appendRows(request), on: .work) { message -> Hidra_V1_AppendRowsReply? in
                if case .appendRowsReply(let reply) = message.envelope.kind { reply } else { nil }
            }
            guard reply.rows >= UInt64(present + end) else {
                throw HidraError(
                    .internalError,
                    "hidrad has \(reply.rows) rows of \(name) after \(present + end) were sent. Upload it again.")
            }
            first = end
        }
    }

    /// Frees an uploaded table.
    public func dropRows(_ data: String) async throws {
        var request = Hidra_V1_DropRowsRequest()
        request.data = data
        try await ask(.dropRows(request), on: .work) { message -> Void? in
            if case .dropRowsReply = message.envelope.kind { () } else { nil }
        }
    }

    private func check(_ columns: [UploadColumn], _ present: Int) throws(HidraError) -> Int {
        guard let first = columns.first else { throw HidraError(.invalidArgument, "A table needs columns.") }
        let rows = first.count
        for column in columns where column.count != rows {
            throw HidraError(
                .invalidArgument,
                "Column \(column.name) has \(column.count) values, column \(first.name) has \(rows): they must be "
                    + "of one length.", details: ["column": column.name])
        }
        guard rows > 0 else { throw HidraError(.invalidData, "The table has no rows.") }
        guard present + rows <= limits.dataRows else {
            throw HidraError(
                .limitExceeded, "The table has \(present + rows) rows; hidrad takes \(limits.dataRows). Use fewer.")
        }
        return rows
    }

    /// As many rows as make a chunk, at least one.
    private func chunkEnd(
        _ columns: [UploadColumn], from first: Int, _ rows: Int
    ) throws(HidraError) -> Int {
        let target = min(Self.uploadChunkBytes, limits.messageBytes / 2)
        var bytes = 0
        for row in first..<rows {
            // Beside its text, a value costs a tag and a length.
            let rowBytes = columns.reduce(0) { $0 + $1.size(row) + 6 }
            guard rowBytes < limits.messageBytes - 65_536 || rowBytes <= target else {
                throw HidraError(
                    .limitExceeded,
                    "Row \(row + 1) has \(rowBytes) bytes; hidrad takes messages of \(limits.messageBytes).",
                    details: ["row": String(row + 1)])
            }
            if bytes > 0, bytes + rowBytes > target { return row }
            bytes += rowBytes
        }
        return rows
    }
}
