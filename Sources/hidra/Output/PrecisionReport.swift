import HidraProtocol

/// How a head does in each precision of its encoder.
struct PrecisionReport {
    let replies: [PrecisionName: Hidra_V1_EvaluateReply]

    private func metric(_ precision: PrecisionName, _ name: String) -> Double { replies[precision]?.metrics[name] ?? .nan }

    var json: JSON {
        .event("result", PrecisionName.allCases.map { ($0.rawValue, .object(replies[$0]?.members ?? [])) })
    }

    func render(style: Style) -> String {
        let rows = replies[.fp32]?.rows ?? 0, head = replies[.fp32]?.head ?? ""
        var grid = Grid([
            .init("METRIC", flexible: true), .init("FP32", right: true), .init("INT8", right: true), .init("CHANGE", right: true),
        ])
        let int8 = Dictionary(EvaluationReport.metrics(replies[.int8]?.metrics ?? [:]), uniquingKeysWith: { first, _ in first })
        for (title, value) in EvaluationReport.metrics(replies[.fp32]?.metrics ?? [:]) {
            let other = int8[title] ?? .nan, change = other - value
            grid.add(title, Format.metric(value), Format.metric(other), (change > 0 ? "+" : "") + Format.fixed(change, 4))
        }
        var facts = Facts()
        facts.add("head", style.bold(head))
        facts.add("rows", Format.count(rows))
        return facts.render(style: style) + "\n" + grid.render(width: nil, style: style)
            + "\nNothing was switched. To let the encoder compute in int8: hidra quantize ENCODER\n"
    }
}
