package import Foundation

/// Images that a table lists, in the table's order and with the table's labels.
package final class ImageList: ImageCollection {
    package private(set) var summary = CollectionSummary()
    private let paths: [String], labels: [String]
    private let files: ImagePaths
    private var position = 0

    /// - Parameter folder: where the table lies; paths are relative to it.
    package init(paths: [String], labels: [String], relativeTo folder: URL, limits: ImageLimits = .standard) {
        precondition(paths.count == labels.count, "ImageList: \(paths.count) paths, \(labels.count) labels")
        self.paths = paths
        self.labels = labels
        files = ImagePaths(relativeTo: folder, limits: limits)
    }

    package func next() -> LabelledImage? {
        while position < paths.count {
            let path = paths[position], label = labels[position]
            position += 1
            do {
                let bytes = try files.read(path)
                summary.images += 1
                return LabelledImage(name: path, label: label, bytes: bytes)
            } catch {
                summary.problems.append(ImageProblem(name: path, reason: error.message))
            }
        }
        return nil
    }

    package func report(_ problem: ImageProblem) { summary.report(problem) }
}
