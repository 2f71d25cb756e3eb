import Foundation
import HidraProtocol
import Synchronization

/// Rows clients have sent, until they are dropped or their client goes. What is made of them, features and heads, is what lasts.
final class DataStore: Sendable {
    private struct Key: Hashable {
        let client: ClientIdentity
        let name: String
    }

    private struct State {
        var tables: [Key: DataTable] = [:]
        var bytes = 0, blobBytes = 0
    }

    /// What a value costs besides its text.
    static let valueBytes = 16
    static let tablesPerClient = 64

    private let limits: Limits
    /// Where uploaded files are kept.
    private let folder: URL
    private let state = Mutex(State())

    init(limits: Limits, folder: URL) {
        self.limits = limits
        self.folder = folder
    }

    /// Adds rows; those that are already there (a repeated request) are skipped.
    ///
    /// - Throws: `invalidArgument` for columns that do not fit, `limitExceeded` before anything is stored.
    ///
    /// - Parameter quota: bytes that the client's data sets may have in all; nil: only the limits count.
    func append(_ request: Hidra_V1_AppendRowsRequest, client: ClientIdentity, quota: Int? = nil) throws -> DataTable {
        let count = try Self.check(request)
        let key = Key(client: client, name: request.data)
        return try state.withLock { state in
            var table = state.tables[key] ?? DataTable(name: request.data, like: request.columns)
            guard table.names == request.columns.map(\.name) else {
                throw Failure(
                    .invalidArgument,
                    "Data set '\(request.data)' has the columns \(table.names); these rows have \(request.columns.map(\.name))."
                )
            }
            for (index, column) in request.columns.enumerated() where table.rows > 0 && count > 0 {
                if case .blobs = table.columns[index], column.blobs.isEmpty { throw Self.mixed(column.name) }
                if case .texts = table.columns[index], !column.blobs.isEmpty { throw Self.mixed(column.name) }
            }
            guard
                state.tables[key] != nil
                    || state.tables.count(where: { $0.key.client == client }) < Self.tablesPerClient
            else {
                throw Failure(.limitExceeded, "\(Self.tablesPerClient) data sets are held already; drop one first.")
            }
            let first = Int(clamping: request.firstRow)
            guard first <= table.rows else {
                throw Failure(
                    .invalidArgument,
                    "Data set '\(request.data)' has \(table.rows) rows; rows from \(first) on would leave a gap.")
            }
            let fresh = max(0, first + count - table.rows)
            let texts = request.columns.reduce(0) { total, column in
                total + column.values.suffix(fresh).reduce(0) { $0 + $1.utf8.count + Self.valueBytes }
            }
            let blobs = request.columns.reduce(0) { total, column in
                total + column.blobs.suffix(fresh).reduce(0) { $0 + $1.count }
            }
            guard table.rows + fresh <= limits.dataRows, state.bytes + texts <= limits.dataBytes,
                state.blobBytes + blobs <= limits.blobBytes
            else {
                throw Failure(
                    .limitExceeded,
                    "The data set is too large: at most \(limits.dataRows) rows, \(limits.dataBytes) bytes of texts and "
                        + "\(limits.blobBytes) bytes of files can be held. Split it.")
            }
            if let quota {
                let own = state.tables.reduce(0) { sum, entry in
                    entry.key.client.sharesAccount(with: client) ? sum + entry.value.bytes + entry.value.blobBytes : sum
                }
                guard own + texts + blobs <= quota else {
                    throw Failure.quota(
                        "data_bytes", limit: String(quota), "bytes in data sets and uploads; these rows would make \(own + texts + blobs). Drop some.")
                }
            }
            if blobs > 0, table.spool == nil { table.spool = try BlobSpool(in: folder) }
            // Taken out while it grows, so that its arrays are not copied. When the disk is full it is as it was.
            let isNew = state.tables.removeValue(forKey: key) == nil
            do {
                try table.add(request.columns, last: fresh)
            } catch {
                if !isNew { state.tables[key] = table }
                throw error
            }
            table.bytes += texts
            table.blobBytes += blobs
            state.bytes += texts
            state.blobBytes += blobs
            state.tables[key] = table
            return table
        }
    }

    /// Bytes of the data sets of a client, and of those it shares a key with.
    func bytes(of client: ClientIdentity) -> Int {
        state.withLock { state in
            state.tables.reduce(0) { sum, entry in
                entry.key.client.sharesAccount(with: client) ? sum + entry.value.bytes + entry.value.blobBytes : sum
            }
        }
    }

    /// - Returns: the number of rows.
    private static func check(_ request: Hidra_V1_AppendRowsRequest) throws -> Int {
        let names = request.columns.map(\.name)
        guard !request.data.isEmpty else { throw Failure(.invalidArgument, "The data set needs a name.") }
        guard let first = request.columns.first, Set(names).count == names.count else {
            throw Failure(.invalidArgument, "Rows need at least one column, and each column a name of its own.")
        }
        for column in request.columns where !column.values.isEmpty && !column.blobs.isEmpty { throw mixed(column.name) }
        let count = max(first.values.count, first.blobs.count)
        guard request.columns.allSatisfy({ max($0.values.count, $0.blobs.count) == count }) else {
            throw Failure(.invalidArgument, "All columns of one request must have the same number of values.")
        }
        return count
    }

    private static func mixed(_ column: String) -> Failure {
        Failure(.invalidArgument, "Column '\(column)' has both values and files; a column holds either.")
    }

    func has(_ data: String, client: ClientIdentity) -> Bool {
        state.withLock { $0.tables[Key(client: client, name: data)] != nil }
    }

    /// - Throws: `notFound`.
    func table(_ data: String, client: ClientIdentity) throws -> DataTable {
        guard let table = state.withLock({ $0.tables[Key(client: client, name: data)] }) else {
            throw Failure(.notFound, "There is no data set '\(data)'; append its rows first, on the same connection.")
        }
        return table
    }

    func drop(_ data: String, client: ClientIdentity) -> Int {
        state.withLock { state in
            guard let table = state.tables.removeValue(forKey: Key(client: client, name: data)) else { return 0 }
            state.bytes -= table.bytes
            state.blobBytes -= table.blobBytes
            return table.rows
        }
    }

    func dropAll(of client: ClientIdentity) {
        state.withLock { state in
            for (key, table) in state.tables where key.client == client {
                state.bytes -= table.bytes
                state.blobBytes -= table.blobBytes
                state.tables[key] = nil
            }
        }
    }
}
