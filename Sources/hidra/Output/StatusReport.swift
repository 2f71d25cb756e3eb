import HidraProtocol

/// What `status` and `ps` print.
struct StatusReport {
    let reply: Hidra_V1_StatusReply

    func render(width: Int?, style: Style) -> String {
        var facts = Facts()
        facts.add(
            "hidrad",
            style.green("running") + ", version \(reply.daemonVersion), process \(reply.processID), "
                + "up \(Format.duration(reply.uptimeSeconds))")
        facts.add("home", reply.home)
        facts.add("memory", Format.bytes(reply.residentBytes))
        facts.add("compute", "\(Format.count(UInt64(reply.threads), "thread")), \(reply.kernels) kernels")
        facts.add(
            "feature cache",
            "\(Format.count(reply.featureCacheRows, "row")), \(Format.bytes(reply.featureCacheBytes))")
        facts.add("clients", "\(reply.clients)")
        if reply.waitingInteractive > 0 || reply.waitingTraining > 0 {
            facts.add("waiting", "\(reply.waitingInteractive) interactive, \(reply.waitingTraining) training")
        }
        var text = facts.render(style: style)
        if !reply.encoders.isEmpty {
            var grid = Grid([
                .init("LOADED ENCODER", flexible: true), .init("PRECISION"), .init("WEIGHTS", right: true), .init("IDLE", right: true),
            ])
            for encoder in reply.encoders {
                grid.add(encoder.name, encoder.precision, Format.bytes(encoder.weightBytes), Format.duration(encoder.idleSeconds))
            }
            text += "\n" + grid.render(width: width, style: style)
        }
        if !reply.jobs.isEmpty { text += "\n" + jobs.render(width: width, style: style) }
        return text
    }

    /// The running and waiting jobs, as `ps` lists them.
    var jobs: Grid {
        var grid = Grid([
            .init("JOB"), .init("KIND"), .init("SUBJECT", flexible: true), .init("PHASE"), .init("DONE", right: true),
            .init("TIME", right: true), .init("CLIENT", flexible: true),
        ])
        for job in reply.jobs {
            grid.add(
                job.id, job.kind, job.subject, job.progress.phase, Self.done(job.progress),
                Format.duration(job.elapsedSeconds), job.client)
        }
        return grid
    }

    /// "62 %", or the amount while the total is unknown.
    static func done(_ progress: Hidra_V1_Progress) -> String {
        if progress.total > 0 {
            return "\(Format.fixed(100 * Double(progress.done) / Double(progress.total), 0)) %"
        }
        guard progress.done > 0 else { return "–" }
        return progress.unit == "bytes" ? Format.bytes(progress.done) : Format.count(progress.done)
    }
}
