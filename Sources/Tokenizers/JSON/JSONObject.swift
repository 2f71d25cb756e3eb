/// An object of a few members, for reading settings by key.
struct JSONObject: Sendable {
    /// The object's path in the document, for messages.
    let name: String
    let members: [String: JSONNode]

    /// The member `key`, or nil where it is absent or null.
    func optional(_ key: String) -> JSONNode? {
        members[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// The member `key`, which must be there.
    func required(_ key: String) throws(TokenizerError) -> JSONNode {
        guard let value = optional(key) else {
            throw TokenizerError(.invalid, "'\(name)' lacks the key '\(key)'; fetch the file again")
        }
        return value
    }

    func string(_ key: String) throws(TokenizerError) -> String {
        try required(key).string(path(key))
    }

    func boolean(_ key: String) throws(TokenizerError) -> Bool {
        try required(key).boolean(path(key))
    }

    func integer(_ key: String) throws(TokenizerError) -> Int {
        try required(key).integer(path(key))
    }

    func object(_ key: String) throws(TokenizerError) -> JSONObject {
        try required(key).object(path(key))
    }

    /// The path of a member.
    func path(_ key: String) -> String {
        "\(name).\(key)"
    }
}
