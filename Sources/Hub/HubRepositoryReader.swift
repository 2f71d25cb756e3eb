import Foundation

/// Reads what a hub repository holds: the commit of a revision, its files, and what each file's bytes must be.
struct HubRepositoryReader: Sendable {
    let hub: HubConnection
    let repository: HubRepository

    /// A revision pinned to its commit.
    struct Snapshot: Sendable {
        /// 40 hexadecimal digits.
        var commit: String
        var licence: String?
        var paths: Set<String>
    }

    /// A file with the digest that the hub promises.
    struct RemoteFile: Sendable {
        var path: String
        var url: URL
        var size: Int64
        /// 64 digits: SHA-256 (LFS); 40 digits: git's blob name.
        var etag: String

        var digestKind: FileDigest.Kind {
            etag.utf8.count == 64 ? .sha256 : .gitBlob
        }
    }

    private static let mostFiles = 10_000
    /// Each costs a connection of its own.
    private static let requestsAtOnce = 6

    /// `GET {endpoint}/api/models/ORG/NAME/revision/REV`
    func snapshot() async throws -> Snapshot {
        struct Answer: Decodable {
            struct Sibling: Decodable {
                var rfilename: String
            }
            var sha: String
            var siblings: [Sibling]?
            var tags: [String]?
        }
        let url = try hub.endpoint.appending(
            "api/models/\(repository.id)/revision", escaping: repository.revision, keepingSlashes: false)
        let data = try await hub.retrying {
            let sink = MemorySink(limit: 16 << 20)
            let request = HTTPRequest(url: url, deadline: hub.settings.metadataTimeout)
            let head = try await hub.exchange(request, to: sink)
            try HubStatus.check(head, repository.id, of: repository, hub)
            return sink.data
        }
        let answer: Answer
        do {
            answer = try JSONDecoder().decode(Answer.self, from: data)
        } catch {
            throw HubError(
                .unavailable, "\(url.absoluteString) did not answer as the hub does. Check HF_ENDPOINT.", cause: error)
        }
        let siblings = answer.siblings ?? []
        guard answer.sha.isHexadecimal(40), siblings.count <= Self.mostFiles else {
            throw HubError(.unavailable, "\(url.absoluteString) gives no commit, or too many files. Check HF_ENDPOINT.")
        }
        let licence = answer.tags?.first { $0.hasPrefix("license:") }.map { String($0.dropFirst("license:".count)) }
        return Snapshot(commit: answer.sha, licence: licence, paths: Set(siblings.map(\.rfilename)))
    }

    /// `HEAD {endpoint}/ORG/NAME/resolve/COMMIT/PATH`
    ///
    /// A file in LFS answers with a redirect to another host; size and digest stand in the hub's own answer, as
    /// `X-Linked-Size` and `X-Linked-Etag`, because that host knows another ETag.
    func file(_ path: String, at commit: String) async throws -> RemoteFile {
        let url = try hub.endpoint.appending(
            "\(repository.id)/resolve/\(commit)", escaping: path, keepingSlashes: true)
        let head = try await hub.retrying {
            let request = HTTPRequest(method: .head, url: url, deadline: hub.settings.metadataTimeout)
            let head = try await hub.exchange(request, to: MemorySink(limit: 1 << 16), stopAtForeignHost: true)
            try HubStatus.check(head, "\(path) in \(repository.id)", of: repository, hub)
            return head
        }
        if let served = head["x-repo-commit"], served != commit {
            throw HubError(.unavailable, "The hub served \(path) of commit \(served), not of \(commit). Try again.")
        }
        guard let etag = (head["x-linked-etag"] ?? head["etag"]).map(Self.bareETag),
            etag.isHexadecimal(40) || etag.isHexadecimal(64)
        else {
            throw HubError(
                .unavailable,
                "The hub gives no digest for \(path), so its content could not be verified. "
                    + "Check HF_ENDPOINT: some mirrors leave the ETag out.")
        }
        guard let size = head.number("x-linked-size") ?? head.number("content-length"), size >= 0 else {
            throw HubError(.unavailable, "The hub gives no size for \(path). Check HF_ENDPOINT.")
        }
        return RemoteFile(path: path, url: url, size: size, etag: etag)
    }

    /// `file` for each of `paths`, some at a time, in the order of `paths`.
    func files(_ paths: [String], at commit: String) async throws -> [RemoteFile] {
        try await withThrowingTaskGroup(of: (Int, RemoteFile).self) { group in
            var files = [RemoteFile?](repeating: nil, count: paths.count)
            for (index, path) in paths.enumerated() {
                if index >= Self.requestsAtOnce, let (done, file) = try await group.next() { files[done] = file }
                group.addTask { (index, try await file(path, at: commit)) }
            }
            for try await (done, file) in group { files[done] = file }
            return files.compactMap { $0 }
        }
    }

    /// `W/"abc"` → `abc`
    private static func bareETag(_ value: String) -> String {
        var value = value.trimmingCharacters(in: .whitespaces)
        if value.hasPrefix("W/") { value.removeFirst(2) }
        return value.trimmingCharacters(in: CharacterSet(charactersIn: "\"")).lowercased()
    }
}

extension String {
    func isHexadecimal(_ length: Int) -> Bool {
        utf8.count == length && utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

extension URL {
    /// This URL, `path`, and `name` with everything escaped but letters, digits and `-._~`. A file's path keeps its
    /// slashes; a revision's (`refs/pr/1`) must be escaped.
    fileprivate func appending(_ path: String, escaping name: String, keepingSlashes: Bool) throws(HubError) -> URL {
        let allowed = CharacterSet(
            charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
                + (keepingSlashes ? "/" : ""))
        guard let escaped = name.addingPercentEncoding(withAllowedCharacters: allowed),
            let url = URL(string: "\(absoluteString)/\(path)/\(escaped)")
        else {
            throw HubError(.invalidArgument, "'\(name)' cannot be part of an address.")
        }
        return url
    }
}
