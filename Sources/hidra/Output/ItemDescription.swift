import HidraClient
import HidraProtocol

/// What `show` prints about one encoder, head or run.
struct ItemDescription {
    let reply: Hidra_V1_ShowReply
    /// Seconds since 1970, for ages.
    let now: Double

    var json: JSON {
        get throws {
            switch reply.item {
            case .encoder(let encoder): .event("result", [("encoder", encoder.json)])
            case .head(let head): .event("result", [("head", head.json)])
            case .run(let run):
                .event("result", [("run", run.json), ("history", .array(reply.history.map(\.json)))])
            case nil: throw newer
            }
        }
    }

    func render(width: Int?, style: Style) throws -> String {
        switch reply.item {
        case .encoder(let encoder): describe(encoder, style)
        case .head(let head): describe(head, width, style)
        case .run(let run): describe(run, width, style)
        case nil: throw newer
        }
    }

    private var newer: HidraError {
        HidraError(
            .incompatibleVersion,
            "The daemon describes a kind of thing this hidra does not know. Update hidra, or restart the daemon "
                + "with `hidra stop`.")
    }

    private func describe(_ encoder: Hidra_V1_Encoder, _ style: Style) -> String {
        var facts = Facts()
        facts.add("encoder", style.bold(encoder.name))
        facts.add("architecture", encoder.architecture)
        facts.add("parameters", "\(Format.parameters(encoder.parameters)) (\(Format.bytes(encoder.bytes)))")
        facts.add("width", "\(encoder.width)")
        facts.add("reads", encoder.modality == "image" ? "images" : "texts")
        facts.add("taps", Self.taps(encoder.taps))
        if encoder.maxTokens > 0 { facts.add("longest text", "\(Format.count(UInt64(encoder.maxTokens))) tokens") }
        facts.add("pooling", encoder.pooling)
        facts.add("computes in", encoder.precision)
        facts.add("source", encoder.source)
        facts.add("revision", encoder.revision)
        facts.add("licence", encoder.licence)
        facts.add("SHA-256", encoder.digest)
        facts.add("added", "\(Format.date(encoder.created)) (\(Format.age(now - encoder.created)))")
        return facts.render(style: style)
    }

    /// All of a few; of many the first and the last.
    private static func taps(_ taps: [String]) -> String {
        guard let last = taps.last else { return "–" }
        let shown = taps.count <= 8 ? taps : taps.prefix(6) + ["…", last]
        return "\(shown.joined(separator: ", ")) (top: \(last))"
    }

    private func describe(_ head: Hidra_V1_Head, _ width: Int?, _ style: Style) -> String {
        var facts = Facts()
        facts.add("head", style.bold(head.name))
        if head.inputs.count > 1 || head.inputs.contains(where: { $0.form == .states }) {
            for (index, input) in head.inputs.enumerated() { facts.add(index == 0 ? "inputs" : "", Self.text(input)) }
        } else {
            facts.add("encoder", "\(head.encoder), tap \(head.tap)")
        }
        facts.add("task", head.task)
        facts.add("kind", "\(head.kind), \(Format.parameters(head.parameters)) parameters")
        for metric in EvaluationReport.metrics(head.metrics) { facts.add(metric.title, Format.metric(metric.value)) }
        facts.add("run", head.run)
        facts.add("SHA-256", head.digest)
        facts.add("trained", "\(Format.date(head.created)) (\(Format.age(now - head.created)))")
        var text = facts.render(style: style)
        if !head.labels.isEmpty {
            let title = Format.count(UInt64(head.labels.count), "label")
            text += "\n\(style.dim(title))\n" + Self.wrap(head.labels, width: width ?? 100)
        }
        return text
    }

    /// `tokens: token states of column message, encoder minilm, tap 6`
    private static func text(_ input: Hidra_V1_HeadInput) -> String {
        let form = input.form == .states ? "token states" : "vectors"
        return "\(input.name): \(form)\(input.column.isEmpty ? "" : " of column \(input.column)"), encoder \(input.encoder), tap \(input.tap)"
    }

    private func describe(_ run: Hidra_V1_Run, _ width: Int?, _ style: Style) -> String {
        var facts = Facts()
        facts.add("run", style.bold(run.id))
        facts.add("head", "\(run.head) on \(run.encoder)")
        facts.add("state", run.state == "finished" ? style.green(run.state) : style.yellow(run.state))
        facts.add("message", run.message)
        facts.add("started", "\(Format.date(run.started)) (\(Format.age(now - run.started)))")
        if run.ended > run.started { facts.add("took", Format.duration(run.ended - run.started)) }
        for (phase, seconds) in run.seconds.sorted(by: { $0.key < $1.key }) where seconds >= 0.0005 {
            facts.add("  \(phase)", Format.duration(seconds))
        }
        for metric in EvaluationReport.metrics(run.metrics) { facts.add(metric.title, Format.metric(metric.value)) }
        for name in Set(reply.history.map(\.name)).sorted() {
            facts.add(name.replacing("_", with: " "), course(of: name, style))
        }
        if run.hasProvenance { describe(run.provenance, &facts) }
        facts.add("configuration", run.configuration)
        return facts.render(style: style)
    }

    private func describe(_ provenance: Hidra_V1_RunProvenance, _ facts: inout Facts) {
        let cost = RunCost(
            coreSeconds: provenance.coreSeconds, wattsPerCore: provenance.wattsPerCore, coreHourPrice: provenance.coreHourPrice)
        facts.add("core-seconds", Format.metric(cost.coreSeconds))
        facts.add(
            "estimated",
            "\(CostReport.energy(cost.energy)) at \(Format.metric(cost.wattsPerCore)) W a core, \(CostReport.money(cost.money)) at "
                + "\(CostReport.money(cost.coreHourPrice)) a core-hour")
        facts.add("seed", "\(provenance.seed)")
        facts.add("data", provenance.dataDigest)
        facts.add("test rows", provenance.testDigest)
        for (encoder, digest) in provenance.encoderDigests.sorted(by: { $0.key < $1.key }) { facts.add("weights of \(encoder)", digest) }
        facts.add("plugin", provenance.plugin)
        let machine = provenance.machine
        facts.add(
            "machine",
            "\(machine.processor), \(Format.count(UInt64(machine.cores), "core")), \(Format.count(UInt64(machine.threads), "thread")), "
                + "\(machine.kernels), \(Format.bytes(machine.memoryBytes))")
        facts.add("system", machine.system)
        facts.add("hidrad", "\(provenance.daemonVersion), protocol \(provenance.protocol)")
    }

    /// "2.31 → 0.12 █▆▄▃▂▁▁"
    private func course(of name: String, _ style: Style) -> String {
        let values = reply.history.filter { $0.name == name }.sorted { $0.step < $1.step }.map(\.value)
        guard let first = values.first, let last = values.last else { return "" }
        guard values.count > 1 else { return Format.metric(first) }
        let line = style.sparkline(values)
        return "\(Format.metric(first)) → \(Format.metric(last))" + (line.isEmpty ? "" : "  \(style.cyan(line))")
    }

    /// Words in lines of at most `width` columns, indented by two.
    static func wrap(_ words: [String], width: Int) -> String {
        var text = ""
        var line = " "
        for (index, word) in words.enumerated() {
            let item = " " + word + (index + 1 < words.count ? "," : "")
            if DisplayWidth.of(line) + DisplayWidth.of(item) > width, line != " " {
                text += line + "\n"
                line = " "
            }
            line += item
        }
        return text + line + "\n"
    }
}
