import Foundation
import Glibc
import HidraProtocol
import State
import Tables
import Workbench

extension WorkRequests {
    func upload(_ request: Hidra_V1_UploadRequest, _ client: ClientIdentity) async throws -> Answer {
        let quota = access.quota(of: client).dataBytes.map { max(0, $0 - data.bytes(of: client)) }
        let received = try await uploads.receive(request, of: client, quota: quota)
        var reply = Hidra_V1_UploadReply()
        reply.received = UInt64(received.bytes)
        reply.complete = received.isComplete
        return Answer(.uploadReply(reply))
    }

    /// Makes a data set of a table in a file, as if its rows had been appended.
    func openData(_ request: Hidra_V1_OpenDataRequest, _ client: ClientIdentity) async throws -> Answer {
        guard !request.data.isEmpty else { throw Failure(.invalidArgument, "The data set needs a name.") }
        let path: String, name: String
        switch request.file {
        case .digest(let digest): (path, name) = (try await uploads.url(digest, of: client).path, "the uploaded file")
        case .path(let given): (path, name) = (given, given)
        case nil: throw Failure(.invalidArgument, "Say which file: the digest of an upload, or an absolute path.")
        }
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw Failure(.invalidArgument, "The path must be absolute: the daemon has a working directory of its own.")
        }
        let format = try format(request), limit = limits.dataBytes
        let columns = try await Workbench.offPool {
            do {
                // Nothing that blocks for ever, or has no end.
                var status = stat()
                if fstatat(AT_FDCWD, path, &status, 0) == 0, status.st_mode & S_IFMT != S_IFREG {
                    throw Failure(.invalidArgument, "\(name) is no file.")
                }
                let table = try Table.read(path: path, format: format, sizeLimit: limit)
                let wanted = request.columns.isEmpty ? table.columns : request.columns
                return try wanted.map { column in
                    var message = Hidra_V1_Column()
                    message.name = column
                    message.values = try table.column(column)
                    return message
                }
            } catch let error as TableError {
                throw Failure(error, of: path, as: name)
            }
        }
        var rows = Hidra_V1_AppendRowsRequest()
        rows.data = request.data
        rows.columns = columns
        guard !data.has(request.data, client: client) else {
            throw Failure(.alreadyExists, "There is already a data set '\(request.data)'. Drop it first, or choose another name.")
        }
        let quota = access.quota(of: client).dataBytes.map { max(0, $0 - uploads.bytes(of: client)) }
        let table = try data.append(rows, client: client, quota: quota)
        // The client may have gone while its file was read; nothing would ever clean up after it.
        guard clients.hasGreeted(client) else {
            data.dropAll(of: client)
            throw CancellationError()
        }
        var reply = Hidra_V1_OpenDataReply()
        reply.rows = UInt64(table.rows)
        reply.bytes = UInt64(table.bytes)
        reply.columns = table.names
        return Answer(.openDataReply(reply))
    }

    private func format(_ request: Hidra_V1_OpenDataRequest) throws -> TableFormat? {
        if !request.format.isEmpty {
            guard let format = TableFormat(rawValue: request.format) else {
                throw Failure(.invalidArgument, "There is no format '\(request.format.prefix(64))'; there are csv, tsv and jsonl.")
            }
            return format
        }
        if case .digest = request.file {
            throw Failure(.invalidArgument, "Say the format of the uploaded file: csv, tsv or jsonl.")
        }
        return nil
    }
}

extension Failure {
    /// - Parameter name: what to call the file instead of its path, which may be the daemon's own affair.
    fileprivate init(_ error: TableError, of path: String, as name: String) {
        let code: ErrorCode =
            switch error.code {
            case .notFound, .missingColumn: .notFound
            case .unreadable, .unknownFormat: .invalidArgument
            case .tooLarge: .limitExceeded
            case .empty, .notUTF8, .malformed, .missingValue: .invalidData
            }
        var details: [String: String] = [:]
        details["row"] = error.row.map(String.init)
        details["line"] = error.line.map(String.init)
        self.init(code, error.description.replacingOccurrences(of: path, with: name), details: details)
    }
}
