import Foundation

/// What every source needs to do its part of a fetch.
struct FetchContext: Sendable {
    /// Exists and is empty at the start of a source.
    let staging: URL
    let cache: URL
    let environment: [String: String]
    let token: String?
    let settings: FetchSettings
    let meter: ProgressMeter

    /// Where the file at `path` (relative, already checked) belongs; makes its folder.
    func place(_ path: String) throws -> URL {
        let target = staging.appendingPathComponent(path)
        try Disk.createFolder(target.deletingLastPathComponent())
        return target
    }

    /// Throws unless an encoder of `bytes` is within the limit.
    func checkLimit(_ bytes: Int64, _ source: String) throws {
        guard bytes <= settings.sizeLimit else {
            throw HubError(
                .limitExceeded,
                "\(source) has \(Disk.megabytes(bytes)), more than the limit of "
                    + "\(Disk.megabytes(settings.sizeLimit)) for one encoder.")
        }
    }
}

extension Catalogue.File {
    /// Throws `corrupt` unless `digest` is this file's.
    func verify(_ digest: FileDigest, from source: String) throws {
        guard digest.size == size, digest.sha256 == sha256 else {
            throw HubError(
                .corrupt,
                "\(path) from \(source) has \(digest.size) bytes and SHA-256 \(digest.sha256); the catalogue "
                    + "says \(size) bytes and \(sha256). It was not used.")
        }
    }
}
