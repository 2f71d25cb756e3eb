import HidraProtocol
import Synchronization

/// The values of one column: texts, numbers and labels as text, or uploaded files.
enum DataColumn: Sendable {
    case texts([String])
    case blobs([Blob])

    var count: Int {
        switch self {
        case .texts(let texts): texts.count
        case .blobs(let blobs): blobs.count
        }
    }
}

/// A data set that a client has sent.
struct DataTable: Sendable {
    private static let versions = Atomic<UInt64>(0)

    let name: String
    /// Another number whenever rows are added, in whatever data set.
    private(set) var version = Self.versions.add(1, ordering: .relaxed).newValue
    let names: [String]
    private(set) var columns: [DataColumn]
    /// Bytes of texts, in memory, and of files, on disk.
    var bytes = 0, blobBytes = 0
    /// Made with the first file.
    var spool: BlobSpool?

    init(name: String, like columns: [Hidra_V1_Column]) {
        self.name = name
        names = columns.map(\.name)
        self.columns = columns.map { $0.blobs.isEmpty ? .texts([]) : .blobs([]) }
    }

    var rows: Int { columns.first?.count ?? 0 }

    /// - Throws: `notFound` naming the columns there are.
    func column(_ wanted: String) throws -> DataColumn {
        guard let index = names.firstIndex(of: wanted) else {
            throw Failure(
                .notFound, "Data set '\(name)' has no column '\(wanted)'; it has: \(names.joined(separator: ", ")).",
                details: ["columns": names.joined(separator: ",")])
        }
        return columns[index]
    }

    /// - Throws: `notFound`, or `invalidArgument` when the column holds files.
    func texts(_ wanted: String) throws -> [String] {
        guard case .texts(let texts) = try column(wanted) else {
            throw Failure(
                .invalidArgument,
                "Column '\(wanted)' of data set '\(name)' holds files; a column of texts is needed here.")
        }
        return texts
    }

    /// Adds the last `count` values of each column; all columns have been checked.
    mutating func add(_ fresh: [Hidra_V1_Column], last count: Int) throws {
        // Files first: writing them can fail, and then nothing has been added.
        var blobs: [Int: [Blob]] = [:]
        for (index, column) in fresh.enumerated() where !column.blobs.isEmpty {
            guard let spool else { preconditionFailure("files without a spool") }
            blobs[index] = try column.blobs.suffix(count).map { try spool.append($0) }
        }
        version = Self.versions.add(1, ordering: .relaxed).newValue
        for (index, column) in fresh.enumerated() {
            switch columns[index] {
            // Taken out while they grow, so that they are not copied.
            case .texts(var texts):
                columns[index] = .texts([])
                texts += column.values.suffix(count)
                columns[index] = .texts(texts)
            case .blobs(var present):
                columns[index] = .blobs([])
                present += blobs[index] ?? []
                columns[index] = .blobs(present)
            }
        }
    }
}
