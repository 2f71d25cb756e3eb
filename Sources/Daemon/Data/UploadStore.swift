import Digests
import Foundation
import Glibc
import HidraProtocol
import State
import Synchronization

/// Files that clients send in chunks, named by what they contain: `uploads/ACCOUNT/DIGEST`, with `.part` until the last byte is there and the
/// digest is right. Kept over connections and restarts, until nobody has touched them for a day.
///
/// Each key has its own: whoever could ask for a file by its digest alone could read what others have sent.
final class UploadStore: Sendable {
    /// How long a file is kept after its last use.
    static let keptSeconds = 86_400.0

    private let directory: StateDirectory
    /// Of all files, those announced but not yet sent included.
    private let limitBytes: Int
    /// Sizes that clients have said of files that are not whole yet, by path: what is promised counts. Forgotten with the process.
    private let announced = Mutex<[String: Int]>([:])
    /// Owns the folder: one request at a time.
    private let queue = DispatchQueue(label: "hidra.uploads", qos: .utility)

    init(_ directory: StateDirectory, limitBytes: Int) {
        (self.directory, self.limitBytes) = (directory, limitBytes)
    }

    struct Received: Sendable, Equatable {
        /// From the beginning.
        var bytes: Int
        var isComplete: Bool
    }

    /// Takes a chunk if it continues the file; says what is there in any case.
    ///
    /// - Parameter quota: bytes the client may have in uploads.
    /// - Throws: `limitExceeded` and `diskFull` before anything is written; `invalidData` when the whole file has another digest, and then it
    ///   is to be sent anew.
    func receive(_ request: Hidra_V1_UploadRequest, of client: ClientIdentity, quota: Int?) async throws -> Received {
        try await onQueue { [self] in
            let file = try file(request.digest, of: client)
            let size = Int(clamping: request.size), offset = Int(clamping: request.offset)
            if let present = Self.size(file) { return Received(bytes: try used(file, present), isComplete: true) }
            let part = file.appendingPathExtension("part"), present = Self.size(part) ?? 0
            // Asked with neither a size nor bytes, it only says what there is.
            guard request.size > 0 || !request.content.isEmpty else { return Received(bytes: present, isComplete: false) }
            guard size >= present, offset <= size, request.content.count <= size - offset else {
                throw Failure(
                    .invalidArgument,
                    "A file of \(request.size) bytes has no room for \(request.content.count) bytes at \(request.offset), after \(present) that are here.")
            }
            try admit(size, present, file, client, quota)
            announced.withLock { $0[part.path] = size }
            if offset == present, !request.content.isEmpty { try append(request.content, to: part) }
            let now = offset == present ? present + request.content.count : present
            guard now == size else { return Received(bytes: now, isComplete: false) }
            return try complete(part, as: file, digest: request.digest, size)
        }
    }

    /// A complete file, to be read.
    ///
    /// - Throws: `notFound` for one that this client's key has not sent whole.
    func url(_ digest: String, of client: ClientIdentity) async throws -> URL {
        try await onQueue { [self] in
            let file = try file(digest, of: client)
            guard let size = Self.size(file) else {
                throw Failure(.notFound, "No file of that digest has been uploaded as a whole. Upload it first.", details: ["digest": digest])
            }
            _ = try used(file, size)
            return file
        }
    }

    /// Bytes that a client's files take or will take.
    func bytes(of client: ClientIdentity) async throws -> Int {
        try await onQueue { [self] in files(in: account(client)).reduce(0) { $0 + $1.reserved } }
    }

    /// The same, for threads that may block.
    func bytesNow(of client: ClientIdentity) -> Int { queue.sync { files(in: account(client)).reduce(0) { $0 + $1.reserved } } }

    /// Removes what nobody has touched for a day.
    func sweep(now: Date = Date()) {
        queue.async { [self] in
            for file in accounts().flatMap(files) where now.timeIntervalSince1970 - file.touched > Self.keptSeconds {
                discard(file.url)
            }
        }
    }

    /// Removes what was sent with a key that is revoked: its name may be given to somebody else.
    func removeAll(ofKey key: String) async throws {
        try await onQueue { [self] in
            for file in files(in: account(ClientIdentity([], key: key))) { discard(file.url) }
        }
    }

    // MARK: On the queue

    private struct Entry {
        let url: URL
        /// What it has, or, unfinished, will have.
        let reserved: Int
        let touched: Double
    }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }

    private func account(_ client: ClientIdentity) -> URL {
        directory.uploads.appending(path: client.key.map { "key-\($0)" } ?? "local", directoryHint: .isDirectory)
    }

    private func file(_ digest: String, of client: ClientIdentity) throws -> URL {
        guard digest.utf8.count == 64, digest.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw Failure(.invalidArgument, "A file is named by its SHA-256: 64 lower-case hexadecimal digits.")
        }
        return account(client).appending(path: digest)
    }

    private func admit(_ size: Int, _ present: Int, _ file: URL, _ client: ClientIdentity, _ quota: Int?) throws {
        let own = files(in: account(client))
        let others = own.filter { $0.url.deletingPathExtension().lastPathComponent != file.lastPathComponent }.reduce(0) { $0 + $1.reserved }
        if let quota, size > quota - others {
            throw Failure.quota("data_bytes", limit: String(quota), "bytes in data sets and uploads; this file has \(size). Send less.")
        }
        let all = accounts().flatMap(files).filter { $0.url.deletingPathExtension() != file }.reduce(0) { $0 + $1.reserved }
        guard size <= limitBytes - all else {
            throw Failure(
                .limitExceeded,
                "A file of \(size) bytes is too large: at most \(limitBytes) bytes of uploads are kept, of which \(all) are taken. Send a smaller "
                    + "one, or wait a day.",
                details: ["limit": String(limitBytes)])
        }
        try directory.requireSpace(bytes: size - present, for: "an uploaded file")
    }

    private func append(_ bytes: Data, to part: URL) throws {
        mkdir(part.deletingLastPathComponent().path, 0o700)
        let descriptor = open(part.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure("write", errno) }
        defer { close(descriptor) }
        let start = lseek(descriptor, 0, SEEK_END)
        try bytes.withUnsafeBytes { raw in
            var written = 0
            while written < raw.count {
                let count = write(descriptor, raw.baseAddress! + written, raw.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    let number = errno
                    ftruncate(descriptor, start)
                    throw Self.failure("write", number)
                }
                written += count
            }
        }
    }

    private func discard(_ file: URL) {
        unlink(file.path)
        announced.withLock { $0[file.path] = nil }
    }

    private func complete(_ part: URL, as file: URL, digest: String, _ size: Int) throws -> Received {
        guard try Self.digest(of: part) == digest else {
            discard(part)
            throw Failure(.invalidData, "The file does not have the digest \(digest). Send it again, with the digest of what it contains.")
        }
        guard rename(part.path, file.path) == 0 else { throw Self.failure("rename", errno) }
        announced.withLock { $0[part.path] = nil }
        return Received(bytes: size, isComplete: true)
    }

    private func used(_ file: URL, _ size: Int) throws -> Int {
        utimensat(AT_FDCWD, file.path, nil, 0)
        return size
    }

    private func accounts() -> [URL] { Self.names(directory.uploads).map { directory.uploads.appending(path: $0) } }

    private func files(in folder: URL) -> [Entry] {
        Self.names(folder).compactMap { name in
            let url = folder.appending(path: name)
            var status = stat()
            guard lstat(url.path, &status) == 0 else { return nil }
            let promised = announced.withLock { $0[url.path] ?? 0 }
            return Entry(
                url: url, reserved: max(Int(status.st_size), promised, Self.leastBytes), touched: Double(status.st_mtim.tv_sec))
        }
    }

    /// What a file counts at least: many small ones must not fill the disk's tables.
    private static let leastBytes = 4096

    private static func names(_ folder: URL) -> [String] {
        guard let directory = opendir(folder.path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    private static func size(_ file: URL) -> Int? {
        var status = stat()
        return lstat(file.path, &status) == 0 ? Int(status.st_size) : nil
    }

    private static func digest(of file: URL) throws -> String {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", errno) }
        defer { close(descriptor) }
        var digest = MessageDigest(.sha256), buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", errno) }
            if count == 0 { return digest.finalize().hexadecimal }
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        }
    }

    private static func failure(_ what: String, _ number: Int32) -> Failure {
        let isFull = number == ENOSPC || number == EDQUOT
        return Failure(
            isFull ? .diskFull : .internalError,
            "The daemon could not \(what) an uploaded file: \(String(cString: strerror(number)))."
                + (isFull ? " Free some space and repeat." : ""))
    }
}
