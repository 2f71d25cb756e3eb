package import Foundation

/// An image of a collection, not decoded yet.
package struct LabelledImage: Sendable, Equatable {
    /// Path within the collection, parts separated by `/`.
    package let name: String
    /// The folder it lies in; nil when it lies in none.
    package let label: String?
    package let bytes: Data

    package init(name: String, label: String?, bytes: Data) {
        self.name = name
        self.label = label
        self.bytes = bytes
    }
}

/// A file of a collection that is left out, and why.
package struct ImageProblem: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    package let reason: String

    package init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "\(name): \(reason)" }
}

/// What became of the files of a collection.
package struct CollectionSummary: Sendable, Equatable, CustomStringConvertible {
    /// Images that were handed out.
    package internal(set) var images = 0
    /// Files and folders whose name begins with a dot, and what some systems leave in archives.
    package internal(set) var hidden = 0
    /// Files whose names do not end as an image's.
    package internal(set) var otherFiles = 0
    /// Files that should be images but cannot be used: those found here, and those reported by whoever decodes.
    package internal(set) var problems: [ImageProblem] = []

    package init() {}

    /// A file that was handed out turned out to be unusable.
    package mutating func report(_ problem: ImageProblem) {
        problems.append(problem)
        images -= 1
    }

    package var description: String {
        func count(_ number: Int, _ one: String, _ many: String) -> String { "\(number) \(number == 1 ? one : many)" }
        var parts = ["\(count(images, "image", "images")) used"]
        if !problems.isEmpty { parts.append("\(count(problems.count, "file", "files")) left out") }
        if otherFiles > 0 { parts.append("\(count(otherFiles, "file", "files")) of other kinds ignored") }
        if hidden > 0 { parts.append("\(count(hidden, "hidden entry", "hidden entries")) ignored") }
        return parts.joined(separator: ", ")
    }
}

/// Images one after the other, so that memory holds one at a time.
package protocol ImageCollection: AnyObject {
    /// The next image; nil at the end. A file that cannot be used is noted in the summary and passed over.
    /// - Throws: `ImageError` when the collection itself cannot be read on.
    func next() throws -> LabelledImage?

    var summary: CollectionSummary { get }
    /// Notes that an image that was handed out cannot be used.
    func report(_ problem: ImageProblem)
}
