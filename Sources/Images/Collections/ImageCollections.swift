package import Foundation

/// Opens what a path names as a collection of images.
package enum ImageCollections {
    /// A folder with sub-folders for the classes, a tar archive of such a folder, or an IDX file.
    /// - Throws: `ImageError` when there is nothing, or something else, at the path.
    package static func open(_ url: URL, limits: ImageLimits = .standard) throws(ImageError) -> any ImageCollection {
        var isFolder = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw ImageError(.notFound, "is not there", file: url.path)
        }
        if isFolder.boolValue { return try ImageFolder(url, limits: limits) }
        if IDXImages.isIDX(url) { return try IDXImages(url, limits: limits) }
        guard isArchive(url) else {
            throw ImageError(
                .unsupported, "is neither a folder of images nor a tar archive (.tar, .tar.gz, .tgz), nor an IDX file",
                file: url.path)
        }
        return try ImageArchive(url, limits: limits)
    }

    /// Whether one file holds all of them: by its name.
    package static func isArchive(_ url: URL) -> Bool {
        let name = url.lastPathComponent.lowercased()
        return IDXImages.isIDX(url) || [".tar", ".tar.gz", ".tgz"].contains { name.hasSuffix($0) }
    }
}
