package import Foundation

/// Images named by a table's column, relative to the table's folder; the labels come from the table.
package struct ImagePaths: Sendable {
    package let folder: URL
    package let limits: ImageLimits

    package init(relativeTo folder: URL, limits: ImageLimits = .standard) {
        self.folder = folder
        self.limits = limits
    }

    /// The bytes of the file `path` names. Its ending does not matter: whether it is an image is seen when it is decoded.
    /// - Throws: `ImageError` when the path leaves the folder, or the file is missing, no regular file or too large.
    package func read(_ path: String) throws(ImageError) -> Data {
        let name = EntryName(path)
        guard !name.text.isEmpty else { throw ImageError(.notFound, "the path is empty") }
        guard name.kind != .outside else {
            throw ImageError(.refusedPath, "leaves the table's folder; paths are relative to it", file: path)
        }
        do {
            return try BoundedImageFile.read(folder.appending(path: name.text).path, limits: limits, followsLinks: true)
        } catch {
            throw ImageError(error.code, error.message, file: path, cause: error.cause)
        }
    }
}
