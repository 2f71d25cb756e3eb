/// One value inside a `JSONDocument`. Reading it copies nothing but what is asked for.
///
/// `name` arguments are the value's path, for messages: `model.unk_token`.
struct JSONNode: Sendable {
    let document: JSONDocument
    /// Index of the value's first byte.
    let start: Int

    private var bytes: [UInt8] { document.bytes }

    var isNull: Bool { bytes[start] == UInt8(ascii: "n") }

    func string(_ name: String) throws(TokenizerError) -> String {
        String(decoding: try stringBytes(name), as: UTF8.self)
    }

    /// UTF-8 of a string value.
    func stringBytes(_ name: String) throws(TokenizerError) -> ArraySlice<UInt8> {
        guard bytes[start] == UInt8(ascii: "\"") else { throw wrong(name, "a string") }
        return JSONScanner.unescaped(bytes, start..<JSONScanner.skipString(bytes, from: start))
    }

    func boolean(_ name: String) throws(TokenizerError) -> Bool {
        switch bytes[start] {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: throw wrong(name, "true or false")
        }
    }

    func integer(_ name: String) throws(TokenizerError) -> Int {
        let text = bytes[start..<JSONScanner.skipValue(bytes, from: start)]
        guard let value = Int(String(decoding: text, as: UTF8.self)) else { throw wrong(name, "an integer") }
        return value
    }

    /// Visits the members of an object in the order of the text; a key that occurs twice is visited twice.
    func forEachMember(
        _ name: String, _ body: (_ key: ArraySlice<UInt8>, _ value: JSONNode) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        let bytes = document.bytes
        guard bytes[start] == UInt8(ascii: "{") else { throw wrong(name, "an object") }
        var at = JSONScanner.skipSpace(bytes, from: start + 1)
        while bytes[at] != UInt8(ascii: "}") {
            let keyEnd = JSONScanner.skipString(bytes, from: at)
            let key = JSONScanner.unescaped(bytes, at..<keyEnd)
            let colon = JSONScanner.skipSpace(bytes, from: keyEnd)
            let value = JSONNode(document: document, start: JSONScanner.skipSpace(bytes, from: colon + 1))
            try body(key, value)
            at = JSONScanner.skipSpace(bytes, from: JSONScanner.skipValue(bytes, from: value.start))
            if bytes[at] == UInt8(ascii: ",") { at = JSONScanner.skipSpace(bytes, from: at + 1) }
        }
    }

    /// Visits the elements of an array.
    func forEachElement(
        _ name: String, _ body: (JSONNode) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        let bytes = document.bytes
        guard bytes[start] == UInt8(ascii: "[") else { throw wrong(name, "an array") }
        var at = JSONScanner.skipSpace(bytes, from: start + 1)
        while bytes[at] != UInt8(ascii: "]") {
            try body(JSONNode(document: document, start: at))
            at = JSONScanner.skipSpace(bytes, from: JSONScanner.skipValue(bytes, from: at))
            if bytes[at] == UInt8(ascii: ",") { at = JSONScanner.skipSpace(bytes, from: at + 1) }
        }
    }

    /// The elements of an array.
    func elements(_ name: String) throws(TokenizerError) -> [JSONNode] {
        var result: [JSONNode] = []
        try forEachElement(name) { result.append($0) }
        return result
    }

    /// This object's members by key, found in one pass.
    ///
    /// Throws: `.invalid` where this is no object or a key occurs twice.
    func object(_ name: String) throws(TokenizerError) -> JSONObject {
        var members: [String: JSONNode] = [:]
        try forEachMember(name) { (key, value) throws(TokenizerError) in
            let key = String(decoding: key, as: UTF8.self)
            guard members.updateValue(value, forKey: key) == nil else {
                throw TokenizerError(.invalid, "'\(name)' has the key '\(key)' twice; fetch the file again")
            }
        }
        return JSONObject(name: name, members: members)
    }

    private func wrong(_ name: String, _ expected: String) -> TokenizerError {
        let text = bytes[start..<min(JSONScanner.skipValue(bytes, from: start), start + 40)]
        return TokenizerError(.invalid, "'\(name)' must be \(expected), not \(String(decoding: text, as: UTF8.self))")
    }
}
