internal import HidraProtocol

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
    public func upload(columns: [(name: String, values: [String])], named: String? = nil) async throws -> String {
        let rows = try check(columns)
        let name = named ?? "data-" + String(UInt64.random(in: 0...(.max)), radix: 16)
        var first = 0
        while first < rows {
            let end = try chunkEnd(columns, from: first, rows)
            var request = Hidra_V1_AppendRowsRequest()
            request.data = name
            request.firstRow = UInt64(first)
            request.columns = columns.map { column in
                var part = Hidra_V1_Column()
                part.name = column.name
                part.values = Array(column.values[first..<end])
                return part
            }
            let reply = try await ask(.appendRows(request), on: .work) { message -> Hidra_V1_AppendRowsReply? in
                if case .appendRowsReply(let reply) = message.envelope.kind { reply } else { nil }
            }
            guard reply.rows >= UInt64(end) else {
                throw HidraError(
                    .internalError, "hidrad has \(reply.rows) rows of \(name) after \(end) were sent. Upload it again.")
            }
            first = end
        }
        return name
    }

    /// Frees an uploaded table.
    public func dropRows(_ data: String) async throws {
        var request = Hidra_V1_DropRowsRequest()
        request.data = data
        try await ask(.dropRows(request), on: .work) { message -> Void? in
            if case .dropRowsReply = message.envelope.kind { () } else { nil }
        }
    }

    private func check(_ columns: [(name: String, values: [String])]) throws(HidraError) -> Int {
        guard let first = columns.first else { throw HidraError(.invalidArgument, "A table needs columns.") }
        let rows = first.values.count
        for column in columns where column.values.count != rows {
            throw HidraError(
                .invalidArgument,
                "Column \(column.name) has \(column.values.count) values, column \(first.name) has \(rows): they must be "
                    + "of one length.", details: ["column": column.name])
        }
        guard rows > 0 else { throw HidraError(.invalidData, "The table has no rows.") }
        guard rows <= limits.dataRows else {
            throw HidraError(.limitExceeded, "The table has \(rows) rows; hidrad takes \(limits.dataRows). Use fewer.")
        }
        return rows
    }

    /// As many rows as make a chunk, at least one.
    private func chunkEnd(
        _ columns: [(name: String, values: [String])], from first: Int, _ rows: Int
    ) throws(HidraError) -> Int {
        let target = min(Self.uploadChunkBytes, limits.messageBytes / 2)
        var bytes = 0
        for row in first..<rows {
            // Beside its text, a value costs a tag and a length.
            let rowBytes = columns.reduce(0) { $0 + $1.values[row].utf8.count + 6 }
            guard rowBytes < limits.messageBytes - 65_536 || rowBytes <= target else {
                throw HidraError(
                    .limitExceeded,
                    "Row \(row + 1) has \(rowBytes) bytes of text; hidrad takes messages of \(limits.messageBytes).",
                    details: ["row": String(row + 1)])
            }
            if bytes > 0, bytes + rowBytes > target { return row }
            bytes += rowBytes
        }
        return rows
    }
}
