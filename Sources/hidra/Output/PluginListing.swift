import HidraProtocol

/// What `plugin ls` prints.
struct PluginListing {
    let plugins: [Hidra_V1_Plugin]
    /// Seconds since 1970, for ages.
    let now: Double

    func render(width: Int?, style: Style) -> String {
        var grid = Grid([
            .init("PLUGIN", flexible: true), .init("VERSION"), .init("STATE"), .init("PROCESS", right: true), .init("MEMORY", right: true),
            .init("RESTARTS", right: true), .init("SINCE"), .init("ROLE"), .init("HEADS", flexible: true),
        ])
        for plugin in plugins {
            grid.add(
                plugin.name, plugin.version, plugin.state, plugin.processID > 0 ? "\(plugin.processID)" : "–",
                plugin.residentBytes > 0 ? Format.bytes(plugin.residentBytes) : "–", "\(plugin.restarts)",
                plugin.started > 0 ? Format.age(now - plugin.started) : "–", plugin.role, plugin.heads.joined(separator: ", "))
        }
        let problems = plugins.filter { !$0.problem.isEmpty && $0.state != "running" && $0.state != "stopped" }
        return grid.render(width: width, style: style)
            + problems.map { "\n\(style.yellow($0.name)): \($0.problem); see `hidra plugin logs \($0.name)`.\n" }.joined()
    }
}

extension Hidra_V1_Plugin {
    var json: JSON {
        .object([
            ("name", .string(name)), ("version", .string(version)), ("description", .string(description_p)), ("state", .string(state)),
            ("process_id", processID > 0 ? .unsigned(UInt64(processID)) : .null), ("restarts", .unsigned(UInt64(restarts))),
            ("directory", .string(directory)), ("command", .strings(command)), ("tasks", .strings(tasks)), ("role", .string(role)),
            ("heads", .strings(heads)), ("started", started > 0 ? .number(started) : .null), ("resident_bytes", .unsigned(residentBytes)),
            ("problem", .string(problem)),
        ])
    }
}
