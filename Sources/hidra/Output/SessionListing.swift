import HidraProtocol

/// What `session ls` prints.
struct SessionListing {
    let sessions: [Hidra_V1_Session]
    /// Seconds since 1970, for ages.
    let now: Double

    func render(width: Int?, style: Style) -> String {
        var grid = Grid([
            .init("SESSION", flexible: true), .init("STATE"), .init("STEP", right: true), .init("TIME", right: true), .init("STARTED"),
            .init("HEADS", flexible: true),
        ])
        for session in sessions {
            let state = session.state == "running" && !session.phase.isEmpty ? session.phase : session.state
            let step = session.totalSteps > 0 ? "\(Format.count(session.step))/\(Format.count(session.totalSteps))" : Format.count(session.step)
            grid.add(
                session.name, state, step, Format.duration(session.seconds), Format.age(now - session.created),
                session.heads.map(\.name).joined(separator: ", "))
        }
        let troubled = sessions.filter { !$0.message.isEmpty && ($0.state == "paused" || $0.state == "failed") }
        return grid.render(width: width, style: style) + troubled.map { "\n\(style.yellow($0.name)): \($0.message)\n" }.joined()
    }
}

/// What `session show` prints, and `watch` at the end.
struct SessionReport {
    let session: Hidra_V1_Session
    let now: Double

    func render(style: Style) -> String {
        var facts = Facts()
        facts.add("state", session.state + (session.phase.isEmpty ? "" : ", \(session.phase)"))
        facts.add("message", session.message)
        facts.add("started", "\(Format.date(session.created)) (\(Format.age(now - session.created)))")
        facts.add("step", "\(Format.count(session.step)) of \(Format.count(session.totalSteps))")
        facts.add("checkpoint", session.checkpointDigest.isEmpty ? "" : "step \(Format.count(session.checkpointStep)), \(session.checkpointDigest.prefix(16))…")
        facts.add("time", "\(Format.duration(session.seconds)), \(Format.rate(session.coreSeconds)) core-seconds")
        for encoder in session.encoders { facts.add("encoder", "\(encoder.name), \(encoder.digest.prefix(16))…") }
        for data in session.data { facts.add("data", "\(data.path), \(Format.count(data.rows, "row")), \(data.copySha256.prefix(16))…") }
        facts.add("seed", "\(session.seed)")
        var text = "\(style.bold(session.name))\n" + facts.render(indent: 2, style: style) + "\n" + heads(style: style)
        if !session.history.isEmpty {
            text += "\n" + session.history.map { "  \(Format.date($0.time))  \($0.name)\($0.message.isEmpty ? "" : ": \($0.message)")\n" }.joined()
        }
        return text
    }

    /// The end in a few lines.
    func summary(style: Style) -> String {
        var text = "\(style.bold(session.name))  \(session.state) after \(Format.duration(session.seconds)), step \(Format.count(session.step))"
        text += session.message.isEmpty ? "\n" : ": \(session.message)\n"
        text += heads(style: style)
        guard session.state == "finished" else { return text }
        if !session.adaptedEncoder.isEmpty { text += "The trained encoder is registered as \(session.adaptedEncoder).\n" }
        return text + "Ask them:  hidra predict \(session.heads.map(\.name).joined(separator: ",")) \"some text\"\n"
    }

    private func heads(style: Style) -> String {
        var grid = Grid([
            .init("  HEAD", flexible: true), .init("EPOCHS", right: true), .init("BEST", right: true), .init("LOSS", right: true),
            .init("SCORE", right: true), .init("COURSE"), .init("TEST", flexible: true),
        ])
        for head in session.heads {
            let best = head.epochs.first { $0.epoch == head.bestEpoch } ?? head.epochs.last
            grid.add(
                "  " + head.name, head.epochs.isEmpty ? "–" : "\(head.epochs.count)", head.bestEpoch > 0 ? "\(head.bestEpoch)" : "–",
                best.map { Format.metric($0.loss) } ?? "–", best.map { Format.metric($0.validationScore) } ?? "–",
                style.sparkline(head.epochs.map(\.validationScore), width: 16),
                head.metrics.sorted { $0.key < $1.key }.map { "\($0.key) \(Format.metric($0.value))" }.joined(separator: ", "))
        }
        return grid.render(style: style)
    }
}

extension Hidra_V1_Session {
    var json: JSON {
        .object([
            ("name", .string(name)), ("id", .string(id)), ("state", .string(state)), ("phase", .string(phase)), ("message", .string(message)),
            ("step", .unsigned(step)), ("total_steps", .unsigned(totalSteps)), ("seconds", .number(seconds)),
            ("core_seconds", .number(coreSeconds)), ("created", .number(created)), ("updated", .number(updated)),
            ("ended", ended > 0 ? .number(ended) : .null), ("seed", .unsigned(seed)), ("adapted_encoder", .string(adaptedEncoder)),
            ("checkpoint_step", .unsigned(checkpointStep)), ("checkpoint_digest", .string(checkpointDigest)),
            ("heads", .array(heads.map(\.json))),
            (
                "data",
                .array(
                    data.map {
                        .object([
                            ("path", .string($0.path)), ("origin", .string($0.origin)), ("file_sha256", .string($0.fileSha256)),
                            ("copy_sha256", .string($0.copySha256)), ("rows", .unsigned($0.rows)),
                        ])
                    })
            ),
            ("encoders", .array(encoders.map { .object([("name", .string($0.name)), ("digest", .string($0.digest))]) })),
            ("versions", .map(versions)),
            (
                "history",
                .array(history.map { .object([("time", .number($0.time)), ("name", .string($0.name)), ("message", .string($0.message))]) })
            ),
        ])
    }
}

extension Hidra_V1_SessionHead {
    var json: JSON {
        .object([
            ("name", .string(name)), ("run", .string(run)), ("digest", .string(digest)), ("plugin", .string(plugin)),
            ("loss", .number(loss)), ("best_epoch", .unsigned(UInt64(bestEpoch))),
            ("metrics", .object(metrics.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })),
            (
                "epochs",
                .array(
                    epochs.map {
                        .object([
                            ("epoch", .unsigned(UInt64($0.epoch))), ("step", .unsigned($0.step)), ("loss", .number($0.loss)),
                            ("validation_score", .number($0.validationScore)),
                        ])
                    })
            ),
        ])
    }
}
