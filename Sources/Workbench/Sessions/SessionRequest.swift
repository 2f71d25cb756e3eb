package import Encoders
package import Foundation
package import Sessions

/// The values of one column of a file.
package enum SessionColumn: Sendable {
    case texts([String])
    case images([ImageFile])

    package var count: Int {
        switch self {
        case .texts(let texts): texts.count
        case .images(let images): images.count
        }
    }
}

/// A session to be started, with the rows of its files.
package struct SessionRequest: Sendable {
    package struct File: Sendable {
        /// As the document names it.
        package var path: String
        /// Where it is, and the SHA-256 of its bytes; empty: not known.
        package var origin: String, sha256: String
        package var columns: [String: SessionColumn]

        package init(path: String, origin: String = "", sha256: String = "", columns: [String: SessionColumn]) {
            self.path = path
            self.origin = origin
            self.sha256 = sha256
            self.columns = columns
        }
    }

    package var document: String
    package var plan: SessionPlan
    package var files: [File]
    /// ONNX files that the document names.
    package var graphs: [String: Data]
    /// The key whose session it is; nil: one of this machine's clients.
    package var owner: String?

    package init(
        document: String, plan: SessionPlan, files: [File], graphs: [String: Data] = [:], owner: String? = nil
    ) {
        self.document = document
        self.plan = plan
        self.files = files
        self.graphs = graphs
        self.owner = owner
    }
}

extension SessionPlan {
    /// The columns of a file that its heads read, inputs and labels, each once.
    package func columns(of path: String) -> [String] {
        heads.filter { $0.data == path || $0.test == path }.flatMap { $0.columns + [$0.label] }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// ONNX files that it names, each once.
    package var graphs: [String] {
        heads.compactMap { if case .graph(let file) = $0.kind { file } else { nil } }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
