package import Foundation

/// One file of a bundle as it was when it was registered.
package struct BundleFile: Codable, Hashable, Sendable {
    /// Relative to the bundle's folder, e.g. `model.safetensors`, `1_Pooling/config.json`.
    package var path: String
    package var bytes: Int
    /// SHA-256, 64 lower-case hexadecimal digits.
    package var sha256: String

    package init(path: String, bytes: Int, sha256: String) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
    }

    /// Lists and digests every file of a folder, except the manifest, sorted by path.
    package static func list(_ folder: URL) throws -> [BundleFile] {
        do {
            return try FileSystem.files(of: folder, including: .filesOnly)
                .filter { $0 != BundleManifest.fileName }
                .map { path in
                    let url = folder.appendingPathComponent(path)
                    return BundleFile(
                        path: path, bytes: try FileSystem.size(ofFile: url), sha256: try SHA256Digest(ofFile: url).hex)
                }
        } catch {
            throw WorkbenchError.wrapping(error, while: "listing the files of \(folder.lastPathComponent)", at: folder)
        }
    }
}

extension [BundleFile] {
    package enum Check: Sendable {
        /// Presence and size: a few system calls, done at every start.
        case sizes
        /// Every byte; done before weights are used.
        case digests
    }

    /// Fails with `corrupt`, naming the first file that is missing, has another size, or other content. Extra files
    /// are a difference too: they are not part of what was registered.
    package func verify(_ folder: URL, _ check: Check) throws {
        let present: Set<String>
        do {
            present = Set(try FileSystem.files(of: folder, including: .filesOnly)).subtracting([BundleManifest.fileName]
            )
        } catch {
            throw WorkbenchError.wrapping(error, while: "verifying \(folder.lastPathComponent)", at: folder)
        }
        if let extra = present.subtracting(map(\.path)).min() {
            throw damaged(folder, extra, "is not one of the files that were registered")
        }
        for file in self {
            guard present.contains(file.path) else { throw damaged(folder, file.path, "is missing") }
            let url = folder.appendingPathComponent(file.path)
            let size: Int
            do {
                size = try FileSystem.size(ofFile: url)
            } catch {
                throw WorkbenchError.wrapping(error, while: "verifying \(folder.lastPathComponent)", at: folder)
            }
            guard size == file.bytes else {
                throw damaged(folder, file.path, "has \(size) bytes, \(file.bytes) were registered")
            }
            if case .digests = check {
                let digest = try SHA256Digest(ofFile: url).hex
                guard digest == file.sha256 else {
                    throw damaged(folder, file.path, "has SHA-256 \(digest), \(file.sha256) was registered")
                }
            }
        }
    }

    private func damaged(_ folder: URL, _ path: String, _ what: String) -> WorkbenchError {
        let name = folder.lastPathComponent
        return WorkbenchError(
            .corrupt, "'\(name)' is damaged: \(path) \(what). Remove it with `hidra rm \(name)` and make it again.",
            details: ["name": name, "file": path])
    }
}
