import HidraProtocol

/// What `quantize` prints.
struct QuantizeReport {
    let reply: Hidra_V1_QuantizeReply
    let texts: [String]

    var json: JSON {
        .event(
            "result",
            [
                ("encoder", reply.encoder.json), ("rows", .unsigned(reply.rows)), ("mean", .number(reply.mean)),
                ("minimum", .number(reply.minimum)), ("quantiles", .map(reply.quantiles)),
                (
                    "worst",
                    .array(reply.worst.map { .object([("row", .unsigned($0.row)), ("cosine", .number($0.cosine))]) })
                ),
                ("fp32_bytes", .unsigned(reply.fp32Bytes)), ("int8_bytes", .unsigned(reply.int8Bytes)),
            ])
    }

    func render(switched: Bool, style: Style) -> String {
        var text = ""
        if reply.rows > 0 {
            var facts = Facts()
            facts.add("encoder", style.bold(reply.encoder.name))
            facts.add("texts", Format.count(reply.rows))
            facts.add("weights", "\(Format.bytes(reply.fp32Bytes)) in fp32, \(Format.bytes(reply.int8Bytes)) in int8")
            facts.add("cosine, mean", style.bold(Format.fixed(reply.mean, 5)))
            for (share, title) in [("0.5", "median"), ("0.1", "lowest 10 %"), ("0.01", "lowest 1 %")] {
                if let value = reply.quantiles[share] { facts.add("cosine, \(title)", Format.fixed(value, 5)) }
            }
            facts.add("cosine, lowest", style.bold(Format.fixed(reply.minimum, 5)))
            text += facts.render(style: style) + "\n"
            var grid = Grid([.init("COSINE", right: true), .init("ROW", right: true), .init("TEXT", flexible: true)])
            for row in reply.worst {
                let index = Int(clamping: row.row)
                grid.add(Format.fixed(row.cosine, 5), Format.count(row.row + 1), texts.indices.contains(index) ? texts[index] : "")
            }
            text += grid.render(width: 100, style: style) + "\n"
        }
        let name = reply.encoder.name, precision = reply.encoder.precision
        text +=
            switched
            ? "\(name) computes in \(precision) from now on."
            : "Nothing was switched: \(name) computes in \(precision). To switch: hidra quantize \(name)"
        return text + "\n"
    }
}
