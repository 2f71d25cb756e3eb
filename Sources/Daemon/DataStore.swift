import HidraProtocol
import Synchronization

/// Rows clients have sent, until they are dropped or their client goes. In memory: what is made of them, features and heads, is
/// what lasts.
final class DataStore: Sendable {
    struct Table: Sendable {
        var names: [String]
        var columns: [[String]]
        var bytes: Int
        var rows: Int { columns.first?.count ?? 0 }
    }

    private struct Key: Hashable {
        let client: ClientIdentity
        let name: String
    }

    private struct State {
        var tables: [Key: Table] = [:]
        var bytes = 0
    }

    /// What a value costs besides its text.
    static let valueBytes = 16
    static let tablesPerClient = 64

    private let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits) { self.limits = limits }

    /// Adds rows; those that are already there (a repeated request) are skipped.
    ///
    /// - Throws: `invalidArgument` for columns that do not fit, `limitExceeded` before anything is stored.
    func append(_ request: Hidra_V1_AppendRowsRequest, client: ClientIdentity) throws -> Table {
        let names = request.columns.map(\.name)
        guard !request.data.isEmpty else { throw Failure(.invalidArgument, "The data set needs a name.") }
        guard let count = request.columns.first?.values.count, Set(names).count == names.count else {
            throw Failure(.invalidArgument, "Rows need at least one column, and each column a name of its own.")
        }
        guard request.columns.allSatisfy({ $0.values.count == count }) else {
            throw Failure(.invalidArgument, "All columns of one request must have the same number of values.")
        }
        let key = Key(client: client, name: request.data)
        return try state.withLock { state in
            var table = state.tables[key] ?? Table(names: names, columns: names.map { _ in [] }, bytes: 0)
            guard table.names == names else {
                throw Failure(
                    .invalidArgument, "Data set '\(request.data)' has the columns \(table.names); these rows have \(names).")
            }
            guard state.tables[key] != nil || state.tables.count(where: { $0.key.client == client }) < Self.tablesPerClient else {
                throw Failure(.limitExceeded, "\(Self.tablesPerClient) data sets are held already; drop one first.")
            }
            let first = Int(clamping: request.firstRow)
            guard first <= table.rows else {
                throw Failure(
                    .invalidArgument, "Data set '\(request.data)' has \(table.rows) rows; rows from \(first) on would leave a gap.")
            }
            let fresh = max(0, first + count - table.rows)
            let added = request.columns.reduce(0) { total, column in
                total + column.values.suffix(fresh).reduce(0) { $0 + $1.utf8.count + Self.valueBytes }
            }
            guard table.rows + fresh <= limits.dataRows, state.bytes + added <= limits.dataBytes else {
                throw Failure(
                    .limitExceeded,
                    "The data set is too large: at most \(limits.dataRows) rows and \(limits.dataBytes) bytes can be held. Split it.")
            }
            // Taken out while it grows, so that its arrays are not copied.
            state.tables[key] = nil
            for index in table.columns.indices { table.columns[index] += request.columns[index].values.suffix(fresh) }
            table.bytes += added
            state.bytes += added
            state.tables[key] = table
            return table
        }
    }

    /// The values of columns of a data set.
    /// - Throws: `notFound` naming the columns there are.
    func columns(_ names: [String], of data: String, client: ClientIdentity) throws -> [[String]] {
        let table = state.withLock { $0.tables[Key(client: client, name: data)] }
        guard let table else {
            throw Failure(.notFound, "There is no data set '\(data)'; append its rows first, on the same connection.")
        }
        return try names.map { name in
            guard let index = table.names.firstIndex(of: name) else {
                throw Failure(
                    .notFound, "Data set '\(data)' has no column '\(name)'; it has: \(table.names.joined(separator: ", ")).",
                    details: ["columns": table.names.joined(separator: ",")])
            }
            return table.columns[index]
        }
    }

    func drop(_ data: String, client: ClientIdentity) -> Int {
        state.withLock { state in
            guard let table = state.tables.removeValue(forKey: Key(client: client, name: data)) else { return 0 }
            state.bytes -= table.bytes
            return table.rows
        }
    }

    func dropAll(of client: ClientIdentity) {
        state.withLock { state in
            for (key, table) in state.tables where key.client == client {
                state.bytes -= table.bytes
                state.tables[key] = nil
            }
        }
    }
}
