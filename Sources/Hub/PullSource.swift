package import Foundation

/// A model repository on the hub, at a branch, tag or commit.
package struct HubRepository: Sendable, Equatable {
    package var organisation: String
    package var name: String
    /// Branch, tag, `refs/pr/N` or commit.
    package var revision: String

    package init(organisation: String, name: String, revision: String = "main") {
        self.organisation = organisation
        self.name = name
        self.revision = revision
    }

    /// `ORG/NAME`
    package var id: String {
        "\(organisation)/\(name)"
    }
}

/// Where an encoder is to come from, as a user writes it.
package enum PullSource: Sendable, Equatable {
    /// A name of the catalogue, such as `minilm`.
    case catalogue(String)
    /// `hf:ORG/NAME` or `hf:ORG/NAME@REVISION`
    case hub(HubRepository)
    /// Anything with a slash, or one of `.`, `..` and `~`.
    case folder(URL)

    /// Reads `text`; a relative path is taken from `base`, or the current folder without one.
    ///
    /// Throws `invalidArgument` for a malformed repository and `notFound`, with a suggestion, for an unknown name.
    package init(
        parsing text: String, catalogue: Catalogue = .builtIn, relativeTo base: URL? = nil
    ) throws(HubError) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw HubError(
                .invalidArgument,
                "The source is empty. Give a catalogue name such as minilm, hf:ORG/NAME[@REVISION] or a folder.")
        }
        if text.hasPrefix("hf:") {
            self = .hub(try HubRepository(parsing: text))
        } else if text.contains("/") || text == "." || text == ".." || text == "~" {
            // `URL(fileURLWithPath:)` does not expand `~`, and a shell does not always get to see it.
            let path = (text as NSString).expandingTildeInPath
            self = .folder(URL(fileURLWithPath: path, relativeTo: base).standardizedFileURL)
        } else {
            self = .catalogue(try catalogue.entry(text).name)
        }
    }
}

extension HubRepository {
    /// Reads `hf:ORG/NAME[@REVISION]`.
    fileprivate init(parsing text: String) throws(HubError) {
        let form = "A hub repository is written hf:ORG/NAME[@REVISION], for example hf:intfloat/e5-small-v2@main."
        let body = text.dropFirst(3)
        let (id, revision): (Substring, Substring?) =
            if let at = body.firstIndex(of: "@") {
                (body[..<at], body[body.index(after: at)...])
            } else {
                (body, nil)
            }
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(Self.isIdentifier) else {
            throw HubError(.invalidArgument, "'\(text)' does not name a hub repository. \(form)")
        }
        if let revision, !Self.isRevision(revision) {
            throw HubError(.invalidArgument, "'\(revision)' is no branch, tag or commit. \(form)")
        }
        self.init(organisation: String(parts[0]), name: String(parts[1]), revision: revision.map(String.init) ?? "main")
    }

    /// The hub's rule for either half of an id: 1–96 of `[A-Za-z0-9._-]`, no `..` or `--`, no `-` or `.` at an end.
    private static func isIdentifier(_ part: Substring) -> Bool {
        let allowed = part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, (1...96).contains(part.utf8.count), !part.contains(".."), !part.contains("--") else {
            return false
        }
        return [part.first, part.last].allSatisfy { $0 != "-" && $0 != "." }
    }

    /// What git allows in a reference name and a URL can carry: printable ASCII without spaces, `..` and `~^:?*[\`.
    private static func isRevision(_ text: Substring) -> Bool {
        (1...200).contains(text.utf8.count) && !text.contains("..") && !text.hasPrefix("/") && !text.hasSuffix("/")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"~^:?*[\\@{".utf8.contains($0) }
    }
}
