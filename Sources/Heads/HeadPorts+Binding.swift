package import Encoders

/// Features that are there for one input of a head's network.
package struct HeadFeatures: Sendable, Codable, Equatable {
    /// The graph's input; empty where there is only one.
    package var name: String
    package var form: FeatureForm
    package var width: Int
    /// Identifies the features: weights, tap, pooling, precision.
    package var featureSpace: String
    package var tap: Int

    package init(name: String, form: FeatureForm, width: Int, featureSpace: String = "", tap: Int = 0) {
        self.name = name
        self.form = form
        self.width = width
        self.featureSpace = featureSpace
        self.tap = tap
    }
}

extension HeadPorts {
    /// The graph's inputs for what a request names: by their names, or, where it names none, in the graph's order.
    ///
    /// - Throws: `HeadError.invalidSettings` when an input of the graph can read nothing, or nothing is given for it, or a name is
    ///   none of the graph's.
    package func assign(_ names: [String]) throws -> [Port] {
        for case (let port, .none(let reason)) in ports.map({ ($0, $0.role) }) {
            throw HeadError(.invalidSettings, "Input \"\(port.name)\" of the graph cannot be bound: \(reason)")
        }
        let data = self.data, listed = data.map { "\"\($0.name)\" \($0.declaration)" }.joined(separator: ", ")
        guard !data.isEmpty else {
            throw HeadError(.invalidSettings, "The graph has no input for features. \(Self.possible).")
        }
        guard names.count == data.count else {
            throw HeadError(
                .invalidSettings,
                "The graph reads \(data.count == 1 ? "one input" : "\(data.count) inputs"), \(listed); "
                    + "\(names.count == 1 ? "one is" : "\(names.count) are") given. Give a column for each: `--text` once for each in this "
                    + "order, or `--input NAME=COLUMN[,encoder=E][,tap=T]`.")
        }
        guard names.contains(where: { !$0.isEmpty }) else { return data }
        guard Set(names).count == names.count, !names.contains("") else {
            throw HeadError(.invalidSettings, "Name each input of the graph once, or none of them. It reads \(listed).")
        }
        return try names.map { name in
            guard let port = data.first(where: { $0.name == name }) else {
                throw HeadError(.invalidSettings, "The graph has no input \"\(name)\" for features. It reads \(listed).")
            }
            return port
        }
    }

    /// Checks that inputs which share the symbol of their length can have one length.
    ///
    /// - Parameter sources: of each input of states, by its name, what its tokens are: of equal ones the lengths are equal.
    /// - Throws: `HeadError.invalidSettings`.
    package func requireFreeLengths(_ sources: [String: String]) throws {
        var first: [String: Port] = [:]
        for port in ports {
            guard case .states = port.role, let symbol = port.sequence, !symbol.isEmpty, symbol != "?" else { continue }
            guard let other = first[symbol] else {
                first[symbol] = port
                continue
            }
            guard sources[other.name] == sources[port.name] else {
                throw HeadError(
                    .invalidSettings,
                    "Inputs \"\(other.name)\" and \"\(port.name)\" of the graph have \"\(symbol)\" tokens both, but texts differ in their "
                        + "number of tokens. Export the graph with a symbol for each.")
            }
        }
    }
}
