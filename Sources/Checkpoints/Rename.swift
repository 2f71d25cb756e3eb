/// How a name of a checkpoint becomes the name the layers ask for. Rules are anchored on whole path components; each name may be
/// changed by one rule of each kind, and two names may not become the same.
package enum Rename: Sendable {
    /// `prefix("bert", to: "")`: the leading components are replaced.
    case prefix(String, to: String)
    /// `component("gamma", to: "weight", under: "LayerNorm")`: the last component, when its parent has this name.
    case component(String, to: String, under: String)
    /// The tensor is not part of the model as we build it.
    case drop(String)

    /// New name → name in the file.
    /// - Throws: `CheckpointError` when two tensors would get the same name.
    package static func apply(_ rules: [Rename], to names: [String]) throws -> [String: String] {
        var result: [String: String] = [:]
        for name in names {
            guard let renamed = renamed(name, by: rules) else { continue }
            if let other = result.updateValue(name, forKey: renamed) {
                throw CheckpointError(.malformedHeader, "\"\(other)\" and \"\(name)\" would both become \"\(renamed)\"")
            }
        }
        return result
    }
}

extension Rename {
    /// nil when the tensor is dropped.
    fileprivate static func renamed(_ name: String, by rules: [Rename]) -> String? {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        for case .prefix(let old, let new) in rules {
            let head = old.split(separator: ".").map(String.init)
            guard parts.count > head.count, Array(parts.prefix(head.count)) == head else { continue }
            parts = new.split(separator: ".").map(String.init) + parts.dropFirst(head.count)
            break
        }
        for case .component(let old, let new, let parent) in rules where parts.last == old && parts.dropLast().last == parent {
            parts[parts.count - 1] = new
            break
        }
        let renamed = parts.joined(separator: ".")
        for case .drop(let dropped) in rules where renamed == dropped { return nil }
        return renamed
    }
}
