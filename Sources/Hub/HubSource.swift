import Foundation

/// Fetches an encoder from a hub repository.
struct HubSource {
    let repository: HubRepository
    let context: FetchContext

    /// With `expected`, exactly these files are fetched and bound to their digests; otherwise the repository's own list
    /// decides, and the hub's ETags are what binds the content.
    func fetch(expecting expected: [Catalogue.File]? = nil) async throws -> FetchedEncoder {
        let transport = CurlTransport(
            environment: context.environment, directory: context.cache, idleTimeout: context.settings.idleTimeout)
        let hub = HubConnection(
            endpoint: try endpoint(), token: token, transport: transport, settings: context.settings)
        let reader = HubRepositoryReader(hub: hub, repository: repository)
        let source = "hf:\(repository.id)"

        let snapshot = try await reader.snapshot()
        let paths =
            if let expected { expected.map(\.path) } else { try await choose(from: snapshot, reader, hub, source) }
        let files = try await reader.files(paths, at: snapshot.commit)

        // Known before a byte of the content has been sent.
        for (file, entry) in zip(files, expected ?? []) {
            guard file.size == entry.size, file.digestKind == .gitBlob || file.etag == entry.sha256 else {
                throw HubError(
                    .corrupt,
                    "\(file.path) of \(source) at commit \(snapshot.commit) is not the one that the catalogue "
                        + "describes. It was not downloaded.")
            }
        }
        let total = files.reduce(Int64(0)) { $0.addingReportingOverflow($1.size).partialValue }
        guard files.allSatisfy({ $0.size <= context.settings.sizeLimit }) else {
            throw HubError(.limitExceeded, "\(source) holds a file larger than the limit for a whole encoder.")
        }
        try context.checkLimit(total, source)
        try Disk.requireSpace(total - alreadyCached(files, hub), in: context.cache)

        var fetched: [String: FetchedEncoder.File] = [:]
        var before: Int64 = 0
        for file in files {
            let meter = context.meter
            let done = before
            let download = HubDownload(hub: hub, repository: repository, file: file, cache: context.cache)
            let digest = try await download.run(
                downloaded: { meter.update(.downloading, file.path, done + $0, of: total) },
                verified: { meter.update(.verifying, file.path, done + $0, of: total) })
            if let entry = expected?.first(where: { $0.path == file.path }) {
                do {
                    try entry.verify(digest, from: "\(source)@\(snapshot.commit)")
                } catch {
                    try Disk.remove(download.partial)
                    throw error
                }
            }
            let target = try context.place(file.path)
            let partial = download.partial
            try await OwnedThread.run("hub install") { cancellation in
                try RawFile(partial, .update).synchronise()
                try Disk.move(partial, to: target, cancellation: cancellation)
            }
            fetched[file.path] = FetchedEncoder.File(sha256: digest.sha256, size: digest.size)
            before += file.size
        }
        return FetchedEncoder(
            name: repository.name.lowercased(), source: source, revision: snapshot.commit, licence: snapshot.licence,
            files: fetched)
    }

    /// Configuration, tokenizer and weights; shards are known only after their index has been read.
    private func choose(
        from snapshot: HubRepositoryReader.Snapshot, _ reader: HubRepositoryReader, _ hub: HubConnection,
        _ source: String
    ) async throws -> [String] {
        let choice = try EncoderFiles.choose(from: snapshot.paths, source: source)
        switch choice.weights {
        case .single(let path):
            return choice.plain + [path]
        case .sharded(let path):
            let index = try await reader.file(path, at: snapshot.commit)
            guard index.size <= EncoderFiles.longestIndex else {
                throw HubError(
                    .limitExceeded, "\(path) of \(source) is larger than \(EncoderFiles.longestIndex) bytes.")
            }
            let download = HubDownload(hub: hub, repository: repository, file: index, cache: context.cache)
            _ = try await download.run(downloaded: { _ in }, verified: { _ in })
            let data = try Data(contentsOf: download.partial)
            return choice.plain + [path]
                + (try EncoderFiles.shards(inIndex: data, of: snapshot.paths, source: source))
        }
    }

    private func alreadyCached(_ files: [HubRepositoryReader.RemoteFile], _ hub: HubConnection) throws -> Int64 {
        try files.reduce(0) { sum, file in
            let partial = HubDownload(hub: hub, repository: repository, file: file, cache: context.cache).partial
            return sum + min(try Disk.fileSize(partial) ?? 0, file.size)
        }
    }

    private func endpoint() throws -> URL {
        let text = context.environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://huggingface.co"
        guard let url = URL(string: text.hasSuffix("/") ? String(text.dropLast()) : text), url.host != nil,
            url.scheme == "https" || url.scheme == "http"
        else {
            throw HubError(.invalidArgument, "HF_ENDPOINT is '\(text)'; it must be an http or https address.")
        }
        return url
    }

    /// The caller's token, or else `HF_TOKEN`. A line break in it would start a header of its own.
    private var token: String? {
        [context.token, context.environment["HF_TOKEN"]]
            .compactMap { $0?.trimmingCharacters(in: .whitespacesAndNewlines) }
            .first { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
    }
}
