package import Foundation
import Glibc

/// A folder of images, one sub-folder for each class: `class/name.jpg`, or deeper, the last folder being the class. Sorted by
/// name; only names are held in memory.
package final class ImageFolder: ImageCollection {
    package private(set) var summary = CollectionSummary()
    /// Paths of the images within the folder, sorted.
    package let names: [String]
    private let folder: URL
    private let limits: ImageLimits
    private var position = 0

    /// Most files a folder may have.
    package static let largestCount = 10_000_000

    /// - Throws: `ImageError` when there is no such folder.
    package init(_ folder: URL, limits: ImageLimits = .standard) throws(ImageError) {
        self.folder = folder
        self.limits = limits
        var found: [String] = [], summary = CollectionSummary()
        var isDirectory = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory) else {
            throw ImageError(.notFound, "is not there", file: folder.path)
        }
        guard isDirectory.boolValue else { throw ImageError(.unreadable, "is not a folder", file: folder.path) }
        var pending = [""]
        while let relative = pending.popLast() {
            let here = relative.isEmpty ? folder : folder.appending(path: relative)
            let children: [String]
            do {
                children = try FileManager.default.contentsOfDirectory(atPath: here.path)
            } catch {
                guard !relative.isEmpty else {
                    throw ImageError(.unreadable, "cannot be read", file: folder.path, cause: error)
                }
                summary.problems.append(ImageProblem(name: relative, reason: "the folder cannot be read"))
                continue
            }
            for child in children {
                let name = EntryName(relative.isEmpty ? child : "\(relative)/\(child)")
                let path = folder.appending(path: name.text).path
                switch (name.kind, Self.kind(path)) {
                case (.hidden, _): summary.hidden += 1
                case (_, .folder): pending.append(name.text)
                case (_, .link):
                    summary.problems.append(
                        ImageProblem(name: name.text, reason: "is a link; put the file itself there"))
                case (.image, _): found.append(name.text)
                default: summary.otherFiles += 1
                }
            }
            guard found.count <= Self.largestCount else {
                throw ImageError(.tooLarge, "has more than \(Self.largestCount) images", file: folder.path)
            }
        }
        names = found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        summary.problems.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.summary = summary
    }

    private enum FileKind { case folder, link, other }

    /// Of the entry itself: links are not followed. A file that vanished meanwhile is found missing when it is read.
    private static func kind(_ path: String) -> FileKind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .other }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .other
        }
    }

    package func next() -> LabelledImage? {
        while position < names.count {
            let name = EntryName(names[position])
            position += 1
            do throws(ImageError) {
                let bytes = try BoundedImageFile.read(
                    folder.appending(path: name.text).path, limits: limits, followsLinks: false)
                summary.images += 1
                return LabelledImage(name: name.text, label: name.label, bytes: bytes)
            } catch {
                summary.problems.append(ImageProblem(name: name.text, reason: error.message))
            }
        }
        return nil
    }

    package func report(_ problem: ImageProblem) { summary.report(problem) }
}
