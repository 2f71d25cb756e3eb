/// A path within a collection.
struct EntryName {
    enum Kind: Equatable {
        case image
        case hidden
        case other
        /// It would leave the collection's folder.
        case outside
    }

    let text: String
    private let parts: [Substring]

    /// `./a//b.jpg` is `a/b.jpg`.
    init(_ path: String) {
        parts = path.split(separator: "/").filter { $0 != "." }
        text = parts.joined(separator: "/")
        isAbsolute = path.hasPrefix("/")
    }

    private let isAbsolute: Bool

    /// The last folder.
    var label: String? { parts.count > 1 ? String(parts[parts.count - 2]) : nil }

    var kind: Kind {
        guard !isAbsolute, !parts.contains(".."), !text.contains("\0") else { return .outside }
        guard !parts.contains(where: { $0.hasPrefix(".") || $0 == "__MACOSX" }) else { return .hidden }
        guard let dot = parts.last?.lastIndex(of: "."), let name = parts.last else { return .other }
        return ImageFormat.extensions.contains(name[name.index(after: dot)...].lowercased()) ? .image : .other
    }
}
