import HidraProtocol

/// What `ls` prints: encoders, heads and, when asked for, runs, in the daemon's order.
struct RegistryListing {
    let reply: Hidra_V1_ListReply
    /// Seconds since 1970, for ages.
    let now: Double

    func render(runs: Bool, width: Int?, style: Style) -> String {
        guard !reply.encoders.isEmpty || !reply.heads.isEmpty || runs else {
            return "Nothing here yet. Fetch an encoder with `hidra pull minilm`.\n"
        }
        var parts: [String] = []
        if !reply.encoders.isEmpty { parts.append(encoders.render(width: width, style: style)) }
        parts.append(
            reply.heads.isEmpty
                ? "No heads yet. Train one: hidra train FILE.csv --text COLUMN --label COLUMN --encoder "
                    + "\(reply.encoders.first?.name ?? "NAME") --name HEAD\n"
                : heads.render(width: width, style: style))
        if runs {
            parts.append(reply.runs.isEmpty ? "No runs yet.\n" : runsGrid.render(width: width, style: style))
        }
        return parts.joined(separator: "\n")
    }

    private var encoders: Grid {
        var grid = Grid([
            .init("ENCODER", flexible: true), .init("READS"), .init("ARCHITECTURE"), .init("PARAMETERS", right: true),
            .init("SIZE", right: true), .init("WIDTH", right: true), .init("ADDED"),
        ])
        for encoder in reply.encoders {
            grid.add(
                encoder.name, encoder.modality, encoder.architecture, Format.parameters(encoder.parameters),
                Format.bytes(encoder.bytes), "\(encoder.width)", Format.age(now - encoder.created))
        }
        return grid
    }

    private var heads: Grid {
        var grid = Grid([
            .init("HEAD", flexible: true), .init("ENCODER", flexible: true), .init("TASK"), .init("KIND"),
            .init("LABELS", right: true), .init("METRIC"), .init("SIZE", right: true), .init("TRAINED"),
        ])
        for head in reply.heads {
            grid.add(
                head.name, head.encoder, head.task, head.kind,
                head.labels.isEmpty ? "–" : Format.count(UInt64(head.labels.count)), Self.metric(head.metrics),
                // Heads are stored in single precision.
                Format.bytes(head.parameters * 4), Format.age(now - head.created))
        }
        return grid
    }

    private var runsGrid: Grid {
        var grid = Grid([
            .init("RUN"), .init("HEAD", flexible: true), .init("ENCODER", flexible: true), .init("STATE"),
            .init("TIME", right: true), .init("METRIC"), .init("STARTED"),
        ])
        for run in reply.runs {
            grid.add(
                run.id, run.head, run.encoder, run.state,
                run.ended > run.started ? Format.duration(run.ended - run.started) : "–", Self.metric(run.metrics),
                Format.age(now - run.started))
        }
        return grid
    }

    /// The metric a head is known by.
    static func metric(_ metrics: [String: Double]) -> String {
        guard let first = EvaluationReport.metrics(metrics).first else { return "–" }
        return "\(first.title) \(Format.metric(first.value))"
    }
}
