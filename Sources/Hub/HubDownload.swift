import Foundation

/// Downloads one file of a hub repository into the cache, going on where an earlier attempt ended.
///
/// `<etag>.incomplete` holds the bytes so far. They are trusted only once size and digest of the whole file agree:
/// whatever is found wrong then is thrown away and fetched anew, once.
struct HubDownload {
    let hub: HubConnection
    let repository: HubRepository
    let file: HubRepositoryReader.RemoteFile
    let cache: URL

    var partial: URL {
        cache.appendingPathComponent("\(file.etag).incomplete")
    }

    /// ETag of the server that sent the partial content, for `If-Range`. Behind a redirect to LFS this is another one
    /// than the hub's.
    private var validator: URL {
        cache.appendingPathComponent("\(file.etag).validator")
    }

    /// Returns when `partial` holds the verified content.
    /// - Parameters:
    ///   - downloaded: told the bytes of this file that are there.
    ///   - verified: told the bytes that have been read again for the digest.
    func run(
        downloaded: @escaping @Sendable (Int64) -> Void, verified: @escaping @Sendable (Int64) -> Void
    ) async throws -> FileDigest {
        var isSecondTry = false
        while true {
            if let have = try Disk.fileSize(partial), have > file.size { try forget() }
            try await transferAll(downloaded)
            let (partial, kind) = (partial, file.digestKind)
            let digest = try await OwnedThread.run("hub verify") { cancellation in
                var done: Int64 = 0
                return try FileDigest.of(partial, kind, cancellation: cancellation) { bytes in
                    done += bytes
                    verified(done)
                }
            }
            if digest.size == file.size, (digest.gitBlob ?? digest.sha256) == file.etag {
                try Disk.remove(validator)
                return digest
            }
            try forget()
            guard !isSecondTry else {
                throw HubError(
                    .corrupt,
                    "\(file.path) of \(repository.id) does not have the digest that the hub promises "
                        + "(\(file.etag)), twice in a row. Something on the way alters it: check proxy and HF_ENDPOINT."
                )
            }
            isSecondTry = true
        }
    }

    private func forget() throws {
        try Disk.remove(partial)
        try Disk.remove(validator)
    }

    private func transferAll(_ downloaded: @escaping @Sendable (Int64) -> Void) async throws {
        // An attempt that brought a good part counts as none lost, so that a large file outlives many broken lines.
        var best: Int64 = 0
        let worthwhile: Int64 = 1 << 20
        try await hub.retrying {
            let have = try Disk.fileSize(partial) ?? 0
            defer { best = max(best, have) }
            return have >= best + worthwhile
        } _: {
            let have = try Disk.fileSize(partial)
            if have == file.size {
                downloaded(file.size)
            } else {
                try await transfer(from: have ?? 0, downloaded)
            }
        }
    }

    private func transfer(from offset: Int64, _ downloaded: @escaping @Sendable (Int64) -> Void) async throws {
        var request = HTTPRequest(url: file.url)
        if offset > 0 {
            request.headers["Range"] = "bytes=\(offset)-"
            if let known = try savedValidator() { request.headers["If-Range"] = known }
        }
        let sink = DownloadSink(
            partial: partial, validator: validator, offset: offset, size: file.size, progress: downloaded)
        let head = try await hub.exchange(request, to: sink)
        if head.status == 416 {
            // What is here cannot be continued there.
            try forget()
            throw PassingFailure(HubError(.corrupt, "The hub cannot continue \(file.path) at \(offset). Pull again."))
        }
        try HubStatus.check(head, "\(file.path) in \(repository.id)", of: repository, hub)
        let have = try Disk.fileSize(partial) ?? 0
        guard have == file.size else {
            throw PassingFailure(
                HubError(
                    .unavailable,
                    "\(file.path) ended after \(have) of \(file.size) bytes. Pull again to go on from there."))
        }
    }

    private func savedValidator() throws -> String? {
        guard let size = try Disk.fileSize(validator), (1...256).contains(size) else { return nil }
        return String(decoding: try Data(contentsOf: validator), as: UTF8.self)
    }
}
