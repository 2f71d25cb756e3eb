/// The rule for names of encoders and heads: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
///
/// A name is a folder's name and a word on a command line, hence no slashes, spaces, leading dots or dashes.
package enum BundleName {
    package static let longest = 64

    package static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= longest else { return false }
        return isAlphanumeric(first) && name.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    /// Fails with `invalidArgument`, saying what is allowed.
    package static func validate(_ name: String) throws {
        guard !isValid(name) else { return }
        let shown = name.count > 80 ? "\(name.prefix(80))…" : name
        throw WorkbenchError(
            .invalidArgument,
            "'\(shown)' cannot be a name. Use 1 to \(longest) letters (a–z, A–Z), digits, dots, dashes and "
                + "underscores, starting with a letter or a digit.")
    }

    /// Whether this is a run's id, "run-" and eight hexadecimal digits: other runs' names come from files.
    package static func isRun(_ id: String) -> Bool {
        id.hasPrefix("run-") && id.utf8.count == 12 && id.dropFirst(4).allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
