package import Encoders
package import Foundation
package import Graphs

/// What the inputs of a graph read when the graph is a head, as far as their declarations tell.
package struct HeadPorts: Sendable {
    package enum Role: Sendable, Equatable {
        /// `[rows, width]` float32: a vector of each row. The width is nil where the graph leaves it open.
        case vectors(width: Int?)
        /// `[rows, tokens, width]` float32: hidden states of each row's tokens, zeros after the last of them.
        case states(width: Int?)
        /// `[rows, tokens]`: 1 for a token of the named input, 0 for what fills the row up.
        case mask(of: String)
        /// `[rows]` integers: how many tokens a row of the named input has.
        case lengths(of: String)
        /// Nothing; the reason.
        case none(String)
    }

    package struct Port: Sendable {
        package let name: String
        package let role: Role
        package let type: ElementType
        /// `float32 [batch, sequence, 384]`
        package let declaration: String
        /// Symbol of the number of tokens.
        let sequence: String?
    }

    /// In the graph's order.
    package let ports: [Port]

    package init(_ inputs: [GraphReport.Port]) {
        let states = inputs.filter(Self.isStates)
        ports = inputs.map { input in
            Port(
                name: input.name, role: Self.role(input, among: inputs, states), type: input.type ?? .float32,
                declaration: Self.declaration(input), sequence: input.shape.flatMap { $0.count > 1 ? $0[1] : nil })
        }
    }

    /// Of an ONNX model.
    ///
    /// - Throws: `HeadError.invalidSettings` when it cannot be read.
    package init(graph: Data) throws {
        do {
            self.init(try GraphModel(data: graph).check().inputs)
        } catch let error as GraphError {
            throw HeadError(.invalidSettings, "The graph cannot be read: \(error.description)", cause: error)
        }
    }

    /// Those that read features, in the graph's order; the others accompany them.
    package var data: [Port] { ports.filter { $0.form != nil } }

    /// What a head can read, for messages.
    static let possible =
        "A head's graph takes float32 [rows, width] for one vector a row, float32 [rows, tokens, width] for token states, with a mask "
        + "(bool, int64, int32 or float32 [rows, tokens], \"mask\" in its name) or lengths (int64 or int32 [rows], \"length\" in its "
        + "name) beside it"

    private static func isStates(_ input: GraphReport.Port) -> Bool {
        input.type == .float32 && input.shape?.count == 3
    }

    private static func role(
        _ input: GraphReport.Port, among inputs: [GraphReport.Port], _ states: [GraphReport.Port]
    ) -> Role {
        let name = input.name.lowercased(), shape = input.shape
        let integers: [ElementType] = [.int64, .int32]
        if !states.isEmpty, shape?.count == 2, name.contains("mask"),
            let type = input.type, ([.bool, .float32] + integers).contains(type)
        {
            return companion(input, "mask", inputs, states).map { .mask(of: $0) } ?? .none(unclear(input, states))
        }
        if !states.isEmpty, shape?.count == 1, name.contains("length"), let type = input.type, integers.contains(type) {
            return companion(input, "length", inputs, states).map { .lengths(of: $0) } ?? .none(unclear(input, states))
        }
        guard input.type == .float32 || input.type == nil else {
            return .none("\(declaration(input)) is nothing a head reads. \(possible).")
        }
        switch shape?.count {
        case 3:
            if let shape, Int(shape[1]) != nil {
                return .none(
                    "\(declaration(input)) has a fixed number of tokens, and texts differ in theirs. Export it with a symbolic second "
                        + "dimension.")
            }
            return .states(width: shape.flatMap { Int($0[2]) })
        case 2: return .vectors(width: shape.flatMap { Int($0[1]) })
        case nil where inputs.count == 1: return .vectors(width: nil)
        default: return .none("\(declaration(input)) is nothing a head reads. \(possible).")
        }
    }

    /// The input of states that a mask or lengths belong to: the only one, or the one whose name is a part of theirs, or as many of
    /// them as there are states, each the one in its place.
    private static func companion(
        _ input: GraphReport.Port, _ word: String, _ inputs: [GraphReport.Port], _ states: [GraphReport.Port]
    ) -> String? {
        if states.count == 1 { return states[0].name }
        // Without the word itself: "b_mask" is no mask of "a".
        let rest = input.name.lowercased().replacing(word, with: "")
        let named = states.filter { rest.contains($0.name.lowercased()) }
        if let longest = named.max(by: { $0.name.count < $1.name.count }) { return longest.name }
        let alike = inputs.filter { !isStates($0) && $0.name.lowercased().contains(word) }
        guard alike.count == states.count, let place = alike.firstIndex(where: { $0.name == input.name }) else {
            return nil
        }
        return states[place].name
    }

    private static func unclear(_ input: GraphReport.Port, _ states: [GraphReport.Port]) -> String {
        "it is not clear to which of \(states.map(\.name).joined(separator: ", ")) it belongs. Let its name contain that input's, as in "
            + "\"\(states[0].name)_mask\"."
    }

    private static func declaration(_ input: GraphReport.Port) -> String {
        let shape = input.shape.map { "[\($0.joined(separator: ", "))]" } ?? "of unknown shape"
        return "\(input.type?.rawValue ?? "a value of unknown type") \(shape)"
    }
}

extension HeadPorts.Port {
    /// What it reads of an encoder; nil for what accompanies another input.
    package var form: FeatureForm? {
        switch role {
        case .vectors: .pooled
        case .states: .states
        case .mask, .lengths, .none: nil
        }
    }

    package var width: Int? {
        switch role {
        case .vectors(let width), .states(let width): width
        case .mask, .lengths, .none: nil
        }
    }
}
