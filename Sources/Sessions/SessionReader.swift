import Yams

extension SessionPlan {
    /// Largest document, in bytes.
    package static let longestDocument = 256 << 10
    /// Most heads of one session.
    package static let mostHeads = 64

    /// Reads a session document, YAML or JSON.
    ///
    /// - Throws: `SessionError` with the line, and the nearest known word where one is not known.
    package init(document text: String) throws(SessionError) {
        do {
            self = try SessionReader(text).plan()
        } catch let error as SessionError {
            throw error
        } catch let error as YamlError {
            throw SessionError(yaml: error)
        } catch {
            throw SessionError(.invalid, "The document cannot be read: \(error)")
        }
    }
}

/// Turns the document's tables into a plan, checking every value's range.
struct SessionReader {
    private static let keys = [
        "hidra", "name", "seed", "encoder", "heads", "train", "sampler", "balance", "budget", "schedule", "checkpoint", "replace",
    ]

    let root: SessionTable

    init(_ text: String) throws {
        guard text.utf8.count <= SessionPlan.longestDocument else {
            throw SessionError(
                .invalid, "The document has \(text.utf8.count) bytes; it may have \(SessionPlan.longestDocument). Data belong into files.")
        }
        // The YAML library descends once for each level.
        guard Self.isShallow(text) else { throw SessionError(.invalid, "The document is nested too deeply.") }
        guard let node = try Yams.compose(yaml: text) else {
            throw SessionError(.invalid, "The document is empty. `hidra session init FILE` writes one to start from.")
        }
        try Self.requireVersion(node)
        root = try SessionTable(node, "the document", keys: Self.keys)
    }

    /// Before the keys: a newer document may have others.
    private static func requireVersion(_ node: Node) throws {
        guard case .mapping(let mapping) = node else {
            throw problem("A session document is a table of `key: value`; it begins with `hidra: \(SessionPlan.version)`", node)
        }
        guard let version = mapping["hidra"] else {
            throw problem("The document lacks its version: begin it with `hidra: \(SessionPlan.version)`", node)
        }
        guard let number = version.scalar.flatMap({ Int($0.string) }), number >= 1 else {
            throw problem("`hidra` is \(shown(version)); it is the version of the format, \(SessionPlan.version)", version)
        }
        guard number <= SessionPlan.version else {
            throw SessionError(
                .newerVersion,
                "The document is of version \(number), and this Hidra reads versions up to \(SessionPlan.version). Update Hidra, or write "
                    + "the document for version \(SessionPlan.version).", line: version.mark?.line)
        }
    }

    func plan() throws -> SessionPlan {
        let name = try root.required("name", "triage")
        try requireName(name, "session", root["name"])
        let encoder = try root.text("encoder")
        let train = try root["train"].map(train) ?? SessionPlan.Train()
        var plan = SessionPlan(name: name, heads: try heads(encoder))
        plan.train = train
        if let node = root["seed"] {
            guard let seed = node.scalar.flatMap({ UInt64($0.string) }) else {
                throw problem("`seed` is \(shown(node)); it must be a whole number from 0 to 18446744073709551615", node)
            }
            plan.seed = seed
        }
        plan.sampler = try sampler() ?? .proportional
        if let balance = try root.choice("balance", SessionPlan.Balance.allCases.map(\.rawValue), "way to balance losses") {
            plan.balance = SessionPlan.Balance(rawValue: balance) ?? .fixed
        }
        plan.budget = try budget()
        plan.schedule = try schedule()
        plan.checkpoint = try checkpoint()
        plan.replace = try root.flag("replace") ?? false
        try check(plan)
        return plan
    }

    private func heads(_ encoder: String?) throws -> [SessionPlan.Head] {
        guard let node = root["heads"] else {
            throw SessionError(.invalid, "The document lacks `heads`, a table with one entry for each task.", line: root.line)
        }
        guard case .mapping(let mapping) = node, !mapping.isEmpty else {
            throw problem("`heads` takes a table with one entry for each task, under its name", node)
        }
        guard mapping.count <= SessionPlan.mostHeads else {
            throw problem("There are \(mapping.count) heads; a session may have \(SessionPlan.mostHeads)", node)
        }
        var heads: [SessionPlan.Head] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            try requireName(name, "head", key)
            // Names are folders' names, and some disks do not tell A from a.
            if let other = heads.first(where: { $0.name.lowercased() == name.lowercased() }) {
                throw problem("There are two heads named '\(other.name)' and '\(name)'; a head's name must be its own", key)
            }
            heads.append(try head(name, value, encoder))
        }
        return heads
    }

    private func sampler() throws -> SessionPlan.Sampler? {
        guard let node = root["sampler"] else { return nil }
        let words = ["proportional", "temperature", "round-robin"]
        func temperature(_ node: Node) throws -> SessionPlan.Sampler {
            guard let value = node.scalar.flatMap({ Double($0.string) }), value >= 1, value <= 1000 else {
                throw problem("The sampler's temperature is \(shown(node)); it must be 1 to 1000, e.g. {temperature: 2}", node)
            }
            return .temperature(value)
        }
        if case .mapping = node {
            let table = try SessionTable(node, "the sampler", keys: ["temperature"])
            guard let value = table["temperature"] else { throw problem("The sampler lacks its temperature, e.g. {temperature: 2}", node) }
            return try temperature(value)
        }
        let parts = (node.scalar?.string ?? "").split(separator: " ", omittingEmptySubsequences: true)
        switch (parts.first, parts.count) {
        case ("proportional", 1): return .proportional
        case ("round-robin", 1): return .roundRobin
        case ("temperature", 2): return try temperature(.scalar(Node.Scalar(String(parts[1]), .implicit, .any, node.mark)))
        case ("temperature", _): throw problem("The sampler `temperature` takes a number, e.g. {temperature: 2}", node)
        default: throw unknown(node.scalar?.string ?? "", "sampler", words, node)
        }
    }

    private func budget() throws -> SessionPlan.Budget {
        var budget = SessionPlan.Budget()
        guard let node = root["budget"] else { return budget }
        let table = try SessionTable(node, "the budget", keys: ["minutes", "core_seconds", "memory_mb"])
        budget.minutes = try table.number("minutes", "above 0 and at most 525600") { $0 > 0 && $0 <= 525_600 }
        budget.coreSeconds = try table.number("core_seconds", "above 0") { $0 > 0 }
        budget.memoryMegabytes = try table.whole("memory_mb", 1...1 << 24)
        return budget
    }

    private func schedule() throws -> SessionPlan.Schedule {
        var schedule = SessionPlan.Schedule()
        guard let node = root["schedule"] else { return schedule }
        let table = try SessionTable(node, "the schedule", keys: ["share", "deadline_minutes"])
        schedule.share = try table.number("share", "0.01 to 100") { (0.01...100).contains($0) } ?? schedule.share
        schedule.deadlineMinutes = try table.number("deadline_minutes", "above 0 and at most 525600") { $0 > 0 && $0 <= 525_600 }
        return schedule
    }

    private func checkpoint() throws -> SessionPlan.Checkpoint {
        var checkpoint = SessionPlan.Checkpoint()
        guard let node = root["checkpoint"] else { return checkpoint }
        let table = try SessionTable(node, "`checkpoint`", keys: ["seconds", "steps"])
        checkpoint.seconds = try table.number("seconds", "0.1 to 86400") { (0.1...86_400).contains($0) } ?? checkpoint.seconds
        checkpoint.steps = try table.whole("steps", 1...1_000_000)
        return checkpoint
    }

    /// At most 512 brackets, none of them in more than 16 others, and no line that opens more than four lists or keys at once.
    private static func isShallow(_ text: String) -> Bool {
        var depth = 0, brackets = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                brackets += 1
                if depth > 16 || brackets > 512 { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            default: break
            }
        }
        return text.split(whereSeparator: \.isNewline).allSatisfy { line in
            var opened = 0
            for character in line {
                if character == "-" || character == "?" { opened += 1 } else if !character.isWhitespace { break }
            }
            return opened <= 4
        }
    }
}

extension SessionError {
    fileprivate init(yaml error: YamlError) {
        switch error {
        case .duplicatedKeysInMapping(let names, let context):
            let list = names.map { "'\($0)'" }.joined(separator: ", ")
            self.init(
                .invalid,
                "\(list) stands twice in one table. Two heads cannot have one name, and a setting is said once: rename or remove one.",
                line: context.mark.line)
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            self.init(.invalid, "The document is no YAML: \(problem).", line: mark.line)
        default: self.init(.invalid, "The document is no YAML: \(error).")
        }
    }
}
