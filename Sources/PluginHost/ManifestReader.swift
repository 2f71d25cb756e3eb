package import Foundation
import HidraProtocol
import Tables
import Yams

/// Reads `plugin.yaml`. What it does not know, it refuses, naming the nearest thing it does know.
///
///     name: ticket-triage
///     version: 1.0.0
///     command: [bin/ticket-triage, --serve]
///     protocol: {min: 1, max: 1}
///     tasks: [classify]
///     role: train
///     limits: {memory: 2 GB, open_files: 256, processes: 8, cpu_seconds: 3600}
///     encoders: [minilm]
///     heads: [ticket-intent]
package struct ManifestReader {
    static let longest = 16 << 10
    private static let keys = [
        "name", "version", "description", "command", "protocol", "tasks", "role", "limits", "encoders", "heads",
    ]
    private static let limitKeys = ["memory", "open_files", "processes", "cpu_seconds"]
    private static let knownTasks = ["classify", "multilabel", "regress"]

    private let file: String

    /// - Parameter folder: the plugin's.
    /// - Throws: `PluginError`: `notFound` without a file, `invalidArgument` for what it says, with its line.
    package static func read(folder: URL) throws -> PluginManifest {
        let file = folder.appending(path: PluginManifest.fileName)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw PluginError(
                .notFound,
                "There is no \(PluginManifest.fileName) in \(folder.path). `hidra plugin new NAME --language python` writes a plugin "
                    + "to start from.", details: ["file": file.path])
        }
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: file)
            defer { handle.closeFile() }
            bytes = try handle.read(upToCount: longest + 1) ?? Data()
        } catch {
            throw PluginError(.invalidArgument, "\(file.path) cannot be read: \(error.localizedDescription)")
        }
        return try parse(bytes, file: file.path)
    }

    /// - Parameter file: where the bytes come from, for messages.
    package static func parse(_ bytes: Data, file: String) throws -> PluginManifest {
        try ManifestReader(file: file).manifest(bytes)
    }

    private func manifest(_ bytes: Data) throws -> PluginManifest {
        guard bytes.count <= Self.longest else { throw problem("is larger than \(Self.longest) bytes") }
        guard let text = String(validatingUTF8: bytes) else { throw problem("is not UTF-8") }
        // The YAML library descends once for each level.
        guard Self.isShallow(text) else { throw problem("is nested too deeply") }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw problem("is no YAML: \(error)") }
        guard let root, case .mapping(let mapping) = root else { throw problem("must be a table of `key: value`") }
        try check(mapping, Self.keys, of: "a plugin")

        let name = try required(mapping, "name")
        guard PluginManifest.isName(name) else {
            throw problem(
                "'\(name.prefix(80))' cannot be a plugin's name: use 1 to 64 letters (a–z, A–Z), digits, dots, dashes and underscores, "
                    + "starting with a letter or a digit", mapping["name"])
        }
        let version = try required(mapping, "version")
        var manifest = PluginManifest(
            name: name, version: version, command: try strings(mapping, "command", longest: 64),
            protocolRange: try protocolRange(mapping))
        guard let program = manifest.command.first, !program.isEmpty else {
            throw problem("`command` is missing: a list, the program first, e.g. [python3, plugin.py]", mapping["command"])
        }
        guard manifest.command.allSatisfy({ !$0.utf8.contains(0) }) else { throw problem("`command` has a zero byte", mapping["command"]) }
        manifest.description = try optional(mapping, "description") ?? ""
        manifest.tasks = try strings(mapping, "tasks")
        for task in manifest.tasks where !Self.knownTasks.contains(task) {
            throw unknown(task, "task", Self.knownTasks, mapping["tasks"])
        }
        if let role = try optional(mapping, "role") {
            guard let known = PluginManifest.Role(rawValue: role) else {
                throw unknown(role, "role", PluginManifest.Role.allCases.map(\.rawValue), mapping["role"])
            }
            manifest.role = known
        }
        manifest.encoders = try strings(mapping, "encoders")
        manifest.heads = try strings(mapping, "heads")
        manifest.limits = try limits(mapping["limits"])
        return manifest
    }

    private func protocolRange(_ mapping: Node.Mapping) throws -> ClosedRange<UInt32> {
        guard let node = mapping["protocol"] else { throw problem("`protocol` is missing, e.g. {min: 1, max: 1}") }
        guard case .mapping(let range) = node else { throw problem("`protocol` takes {min: 1, max: 1}", node) }
        try check(range, ["min", "max"], of: "`protocol`")
        let least = try number(range, "min", 1...65_535, "a protocol version") ?? 1
        let most = try number(range, "max", 1...65_535, "a protocol version") ?? least
        guard least <= most else { throw problem("`protocol` goes from \(least) down to \(most)", node) }
        return UInt32(least)...UInt32(most)
    }

    private func limits(_ node: Node?) throws -> PluginManifest.Limits {
        var limits = PluginManifest.Limits()
        guard let node else { return limits }
        guard case .mapping(let mapping) = node else {
            throw problem("`limits` takes a table, e.g. {memory: 2 GB, open_files: 256}", node)
        }
        try check(mapping, Self.limitKeys, of: "`limits`")
        if let memory = mapping["memory"] {
            guard let bytes = memory.scalar.flatMap({ Self.bytes($0.string) }), (16 << 20...1 << 40).contains(bytes) else {
                throw problem("`memory` takes 16 MB to 1 TB, e.g. 512 MB or 2 GB", memory)
            }
            limits.memoryBytes = bytes
        }
        limits.openFiles = try number(mapping, "open_files", 16...1_048_576, "files") ?? limits.openFiles
        limits.processes = try number(mapping, "processes", 1...10_000, "processes") ?? limits.processes
        limits.cpuSeconds = try number(mapping, "cpu_seconds", 1...31_536_000, "seconds")
        return limits
    }

    // MARK: - Values

    private func check(_ mapping: Node.Mapping, _ known: [String], of what: String) throws {
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            guard !known.contains(name) else { continue }
            let guess = nearest(name, in: known)
            throw problem(
                "'\(name.prefix(80))' is no key of \(what)." + (guess.map { " Did you mean `\($0)`?" } ?? "") + " There are \(Self.list(known))",
                key, suggestion: guess)
        }
    }

    private func required(_ mapping: Node.Mapping, _ key: String) throws -> String {
        guard let value = try optional(mapping, key), !value.isEmpty else { throw problem("`\(key)` is missing") }
        return value
    }

    private func optional(_ mapping: Node.Mapping, _ key: String) throws -> String? {
        guard let node = mapping[key] else { return nil }
        guard let scalar = node.scalar, scalar.string.utf8.count <= 1024 else {
            throw problem("`\(key)` takes one text of at most 1024 bytes", node)
        }
        return scalar.string
    }

    private func strings(_ mapping: Node.Mapping, _ key: String, longest: Int = 256) throws -> [String] {
        guard let node = mapping[key] else { return [] }
        guard case .sequence(let sequence) = node, sequence.count <= longest else {
            throw problem("`\(key)` takes a list of at most \(longest), e.g. \(key == "command" ? "[python3, plugin.py]" : "[one, two]")", node)
        }
        return try sequence.map { item in
            guard let scalar = item.scalar, scalar.string.utf8.count <= 4096 else { throw problem("`\(key)` takes a list of texts", item) }
            return scalar.string
        }
    }

    private func number(_ mapping: Node.Mapping, _ key: String, _ range: ClosedRange<Int>, _ unit: String) throws -> Int? {
        guard let node = mapping[key] else { return nil }
        guard let value = node.scalar.flatMap({ Int($0.string) }), range.contains(value) else {
            throw problem("`\(key)` takes \(range.lowerBound) to \(range.upperBound), \(unit)", node)
        }
        return value
    }

    /// "512 MB", "2GB", "1073741824"; powers of two, as memory is sold.
    static func bytes(_ text: String) -> Int? {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        let digits = trimmed.prefix { $0.isNumber && $0.isASCII || $0 == "." }
        let unit = trimmed.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).uppercased()
        let units = ["": 0, "B": 0, "KB": 10, "MB": 20, "GB": 30, "TB": 40, "KIB": 10, "MIB": 20, "GIB": 30, "TIB": 40]
        guard let shift = units[unit], let value = Double(digits), value.isFinite else { return nil }
        return Int(exactly: (value * Double(1 << shift)).rounded())
    }

    /// At most 32 brackets, and no line that opens more than four lists or keys at once.
    private static func isShallow(_ text: String) -> Bool {
        guard text.utf8.lazy.filter({ $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }).count <= 32 else { return false }
        return text.split(whereSeparator: \.isNewline).allSatisfy { line in
            var opened = 0
            for character in line {
                if character == "-" || character == "?" { opened += 1 } else if !character.isWhitespace { break }
            }
            return opened <= 4
        }
    }

    // MARK: - Messages

    private func unknown(_ value: String, _ what: String, _ known: [String], _ node: Node?) -> PluginError {
        let guess = nearest(value, in: known)
        return problem(
            "'\(value.prefix(80))' is no \(what)." + (guess.map { " Did you mean `\($0)`?" } ?? "") + " There are \(Self.list(known))",
            node, suggestion: guess)
    }

    private func problem(_ what: String, _ node: Node? = nil, suggestion: String? = nil) -> PluginError {
        let line = node?.mark.map { ", line \($0.line)" } ?? ""
        var details = ["file": file]
        details["line"] = node?.mark.map { String($0.line) }
        details["suggestion"] = suggestion
        return PluginError(.invalidArgument, "\(file)\(line): \(what).", details: details)
    }

    private static func list(_ names: [String]) -> String {
        names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }
}

extension String {
    /// Nil for bytes that are no UTF-8.
    fileprivate init?(validatingUTF8 bytes: Data) { self.init(bytes: bytes, encoding: .utf8) }
}
