/// A line: a command and its fields.
struct Fields: Sendable {
    let command: String
    let pairs: [(key: String, value: String)]

    init(_ line: String) {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        self.init(parts[0], parts.dropFirst().map(Self.pair))
    }

    private init(_ command: String, _ pairs: [(key: String, value: String)]) {
        (self.command, self.pairs) = (command, pairs)
    }

    private static func pair(_ text: String) -> (key: String, value: String) {
        guard let equals = text.firstIndex(of: "=") else { return (text, "") }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    subscript(key: String) -> String { pairs.first { $0.key == key }?.value ?? "" }

    func all(_ key: String) -> [String] { pairs.filter { $0.key == key }.map(\.value) }

    func number(_ key: String) -> Double { Double(self[key]) ?? 0 }

    func count(_ key: String) -> UInt32 { UInt32(self[key]) ?? 0 }

    /// The command that `begin` names.
    var begun: Fields { Fields(self["do"], pairs.filter { $0.key != "do" && $0.key != "id" }) }

    /// Columns and their values, in their order.
    var columns: [(name: String, values: [String])] {
        var columns: [(name: String, values: [String])] = []
        for (key, value) in pairs {
            if key == "column" { columns.append((value, [])) }
            if key == "value", !columns.isEmpty { columns[columns.count - 1].values.append(value) }
        }
        return columns
    }
}
