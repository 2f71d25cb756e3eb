import Tables
import Yams

/// A table of the document, read key by key: what is not there has its default, what is not known is an error with the nearest that is.
struct SessionTable {
    let mapping: Node.Mapping
    /// What it is, for messages: "head 'intent'".
    let what: String

    init(_ node: Node, _ what: String, keys: [String]) throws {
        guard case .mapping(let mapping) = node else {
            throw problem("\(what) takes a table of `key: value`", node)
        }
        self.mapping = mapping
        self.what = what
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            guard !keys.contains(name) else { continue }
            throw unknown(name, "key of \(what)", keys, key)
        }
    }

    subscript(key: String) -> Node? {
        guard let node = mapping[key] else { return nil }
        // `key:` with nothing after it reads as a null, which is as good as leaving it out.
        return node.null != nil && node.scalar?.string.isEmpty ?? true ? nil : node
    }

    func required(_ key: String, _ example: String) throws -> String {
        guard let value = try text(key), !value.isEmpty else {
            throw SessionError(.invalid, "\(what) lacks `\(key)`, e.g. `\(key): \(example)`.", line: line)
        }
        return value
    }

    func text(_ key: String) throws -> String? {
        guard let node = self[key] else { return nil }
        guard let scalar = node.scalar, scalar.string.utf8.count <= 4096, !scalar.string.utf8.contains(0) else {
            throw problem("`\(key)` of \(what) takes one text of at most 4096 bytes", node)
        }
        return scalar.string
    }

    /// One text, or a list of them.
    func texts(_ key: String, longest: Int = 16) throws -> [String] {
        guard let node = self[key] else { return [] }
        guard case .sequence(let sequence) = node else { return try text(key).map { [$0] } ?? [] }
        guard (1...longest).contains(sequence.count) else {
            throw problem("`\(key)` of \(what) takes 1 to \(longest) texts, e.g. [one, two]", node)
        }
        return try sequence.map { item in
            guard let scalar = item.scalar, !scalar.string.isEmpty, scalar.string.utf8.count <= 4096 else {
                throw problem("`\(key)` of \(what) takes a list of texts", item)
            }
            return scalar.string
        }
    }

    func whole(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let node = self[key] else { return nil }
        guard let value = node.scalar.flatMap({ Int($0.string) }), range.contains(value) else {
            throw problem("`\(key)` of \(what) is \(shown(node)); it must be a whole number from \(range.lowerBound) to \(range.upperBound)", node)
        }
        return value
    }

    /// - Parameter isAllowed: of the values, which; `range` says it in words.
    func number(_ key: String, _ range: String, _ isAllowed: (Double) -> Bool) throws -> Double? {
        guard let node = self[key] else { return nil }
        guard let value = node.scalar.flatMap({ Double($0.string) }), value.isFinite, isAllowed(value) else {
            throw problem("`\(key)` of \(what) is \(shown(node)); it must be \(range)", node)
        }
        return value
    }

    func flag(_ key: String) throws -> Bool? {
        guard let node = self[key] else { return nil }
        guard let value = node.bool else { throw problem("`\(key)` of \(what) is \(shown(node)); it must be true or false", node) }
        return value
    }

    /// One of the words.
    func choice(_ key: String, _ words: [String], _ noun: String) throws -> String? {
        guard let value = try text(key) else { return nil }
        guard words.contains(value) else { throw unknown(value, noun, words, self[key]) }
        return value
    }

    var line: Int? { mapping.mark?.line }
}

/// What a value looks like in a message.
func shown(_ node: Node) -> String { node.scalar.map { "\"\($0.string.prefix(80))\"" } ?? "a table or a list" }

func problem(_ message: String, _ node: Node?, suggestion: String? = nil) -> SessionError {
    SessionError(.invalid, message + ".", line: node?.mark?.line, suggestion: suggestion)
}

func unknown(_ value: String, _ noun: String, _ known: [String], _ node: Node?) -> SessionError {
    let guess = nearest(value, in: known)
    let list = known.count > 1 ? known.dropLast().joined(separator: ", ") + " and " + known[known.count - 1] : known.joined()
    return problem(
        "'\(value.prefix(80))' is no \(noun)." + (guess.map { " Did you mean `\($0)`?" } ?? "") + " There are \(list)", node,
        suggestion: guess)
}
