/// `proto/onnx/OPERATORS.md`, written from the operator table; a test compares the two.
package enum OperatorDocument {
    package static var text: String {
        var lines = [
            "# Supported ONNX operators",
            "",
            "Generated from the operator table by `GraphsTests`; do not edit. Operator sets "
                + "\(GraphModel.operatorSets.lowerBound) to \(GraphModel.operatorSets.upperBound); \"since\" is the first set whose form of the",
            "operator is implemented. \"Gradient\": whether a head may be trained through it (in float32). Element types are those of each "
                + "input, by position;",
            "inputs in brackets may be left out, `…` takes any number, and inputs in italics are settings, never trained weights.",
            "",
            "Floats are float32, float64, float16 and bfloat16; integers are int8 to int64 and uint8 to uint64; \"all\" adds bool.",
            "",
            "| operator | since | gradient | inputs |",
            "|---|---|---|---|",
        ]
        for entry in OperatorTable.all {
            let inputs = entry.inputs.map { input -> String in
                var text = entry.types[input.constraint]?.description ?? "all"
                if input.isSetting { text = "*\(text)*" }
                if input.isVariadic { text += " …" }
                return input.isOptional ? "[\(text)]" : text
            }
            lines.append(
                "| \(entry.name) | \(entry.since) | \(entry.gradient.rawValue) | \(inputs.isEmpty ? "none" : inputs.joined(separator: "; ")) |"
            )
        }
        lines += [
            "",
            "\(OperatorTable.all.count) operators. Functions local to a model are expanded into their nodes. Other domains, operators that draw "
                + "random numbers (other than",
            "Dropout in training), strings, sequences, optional values, sparse tensors and weights in other files are refused.",
            "",
        ]
        return lines.joined(separator: "\n")
    }
}
