import HidraProtocol

/// What `graph check` prints.
struct GraphReport {
    let file: String
    let reply: Hidra_V1_CheckGraphReply

    func render(style: Style, width: Int?) -> String {
        var facts = Facts()
        facts.add("graph", style.bold(file))
        facts.add(
            "opsets",
            reply.opsets.sorted { $0.key < $1.key }.map { "\($0.key.isEmpty ? "ai.onnx" : $0.key) \($0.value)" }.joined(
                separator: ", "))
        facts.add("inputs", reply.inputs.map(Self.text).joined(separator: ", "))
        facts.add("outputs", reply.outputs.map(Self.text).joined(separator: ", "))
        facts.add("parameters", Format.count(reply.parameters))
        facts.add(
            "memory", "\(Format.bytes(reply.weightBytes)) of weights, \(Format.bytes(reply.activationBytes)) of results in one pass")
        for (index, role) in reply.roles.enumerated() {
            facts.add(index == 0 ? "as a head" : "", Self.text(role))
        }
        var text = facts.render(style: style) + "\n"
        var grid = Grid([.init("OPERATOR", flexible: true), .init("NODES", right: true), .init("GRADIENT")])
        for use in reply.operators { grid.add(use.name, "\(use.count)", use.differentiable ? "yes" : "no") }
        text += grid.render(width: width, style: style)
        for remark in reply.remarks { text += "\(style.yellow("note:")) \(Self.line(remark))\n" }
        guard !reply.problems.isEmpty else { return text + "\nThe graph can be used.\n" }
        text += "\n\(style.yellow(Format.count(UInt64(reply.problems.count), "problem"))):\n"
        for problem in reply.problems { text += "  \(Self.line(problem))\n" }
        return text
    }

    private static func line(_ problem: Hidra_V1_GraphProblem) -> String {
        (problem.node.isEmpty ? "" : "\(problem.node): ") + problem.message
    }

    /// What an input would read if the graph were a head's.
    private static func text(_ role: Hidra_V1_GraphInputRole) -> String {
        switch role.role {
        case "vectors": "\(role.input) reads a vector of each row"
        case "states": "\(role.input) reads the token states of each row"
        case "mask": "\(role.input) is the mask of \(role.of)"
        case "lengths": "\(role.input) is the number of tokens of \(role.of)"
        case "none": "\(role.input) cannot be bound: \(role.problem)"
        default: "\(role.input): \(role.role)"
        }
    }

    private static func text(_ value: Hidra_V1_GraphValue) -> String {
        "\(value.name) \(value.type.isEmpty ? "?" : value.type)[\(value.shape.joined(separator: ", "))]"
    }
}

extension Hidra_V1_CheckGraphReply {
    var json: JSON {
        .event(
            "result",
            [
                ("usable", .bool(problems.isEmpty)),
                (
                    "operators",
                    .array(
                        operators.map { use in
                            .object([
                                ("name", .string(use.name)), ("count", .unsigned(use.count)),
                                ("differentiable", .bool(use.differentiable)),
                            ])
                        })
                ),
                ("inputs", .array(inputs.map(\.json))), ("outputs", .array(outputs.map(\.json))),
                (
                    "roles",
                    .array(
                        roles.map { role in
                            .object(
                                [("input", .string(role.input)), ("role", .string(role.role))]
                                    + (role.of.isEmpty ? [] : [("of", .string(role.of))])
                                    + (role.problem.isEmpty ? [] : [("problem", .string(role.problem))]))
                        })
                ),
                ("initialisers", .array(initialisers.map(\.json))), ("parameters", .unsigned(parameters)),
                ("weight_bytes", .unsigned(weightBytes)), ("activation_bytes", .unsigned(activationBytes)),
                ("opsets", .object(opsets.sorted { $0.key < $1.key }.map { ($0.key, .unsigned($0.value)) })),
                ("problems", .array(problems.map(\.json))), ("remarks", .array(remarks.map(\.json))),
            ])
    }
}

extension Hidra_V1_GraphProblem {
    var json: JSON { .object([("node", .string(node)), ("message", .string(message))]) }
}

extension Hidra_V1_GraphValue {
    var json: JSON { .object([("name", .string(name)), ("type", .string(type)), ("shape", .strings(shape))]) }
}
