import Encoders
import Foundation
import GRDB

/// The start-up comparison of folders and rows. The folder is the truth: a bundle is installed before it is recorded,
/// and its manifest is its record, so
///
/// - a whole bundle without a row, or with another row, is recorded (the process died between the two steps, or the
///   registry was lost): its files are digested first;
/// - a bundle that is damaged, or no bundle at all, goes to quarantine;
/// - a row without a folder stays, and is reported: it still says what has to be fetched or trained again.
struct Sweep {
    let registry: Registry
    var report: StartupReport

    private var directory: StateDirectory { registry.directory }

    init(registry: Registry, report: StartupReport) {
        self.registry = registry
        self.report = report
    }

    mutating func run() throws {
        // Encoders first: heads refer to them.
        for kind in BundleKind.allCases {
            let recorded = try recordedFiles(kind)
            let present = try directory.names(on: kind.shelf)
            for name in present { try compare(name, kind, recorded[name]) }
            for name in recorded.keys.sorted() where !FileSystem.exists(directory.folder(kind.shelf, name)) {
                report.missing.append(name)
                report.notes.append(
                    "The files of \(kind.rawValue) '\(name)' are missing. "
                        + (kind == .encoder ? "Pull it again under this name" : "Train it again under this name")
                        + ", or remove it with `hidra rm \(name)`.")
            }
        }
        try sweepRuns()
        try sweepSessions()
    }

    private struct Recorded {
        let files: [BundleFile]
        let created: Double
    }

    private func recordedFiles(_ kind: BundleKind) throws -> [String: Recorded] {
        try registry.database.read { db in
            let pairs: [(String, Recorded)] =
                switch kind {
                case .encoder:
                    try EncoderRecord.fetchAll(db).map { ($0.name, Recorded(files: $0.files, created: $0.created)) }
                case .head:
                    try HeadRecord.fetchAll(db).map { ($0.name, Recorded(files: $0.files, created: $0.created)) }
                }
            return Dictionary(uniqueKeysWithValues: pairs)
        }
    }

    private mutating func compare(_ name: String, _ kind: BundleKind, _ recorded: Recorded?) throws {
        let folder = directory.folder(kind.shelf, name)
        do {
            try BundleName.validate(name)
            let manifest = try BundleManifest.read(folder)
            guard manifest.kind == kind else {
                throw WorkbenchError(
                    .corrupt, "The manifest of '\(name)' is not that of \(kind.article) \(kind.rawValue).")
            }
            if let recorded, recorded.files == manifest.files, recorded.created == manifest.created {
                return try manifest.files.verify(folder, .sizes)
            }
            try manifest.files.verify(folder, .digests)
            if let reason = try adopt(manifest) {
                report.notes.append("\(kind.shelf.rawValue)/\(name) is not registered: \(reason)")
            } else {
                report.adopted.append(name)
                report.notes.append("Registered \(kind.rawValue) '\(name)' from its folder.")
            }
        } catch let error as WorkbenchError where Self.condemns(error.code) {
            let place = try directory.quarantine(folder)
            report.quarantined[name] = place
            report.notes.append("Moved \(kind.rawValue) '\(name)' to \(place.path): \(error.message)")
        }
    }

    /// Only a fault of the bundle itself condemns it; a full disk or a failing read does not.
    private static func condemns(_ code: WorkbenchError.Code) -> Bool {
        [.corrupt, .invalidData, .invalidArgument, .alreadyExists].contains(code)
    }

    /// Records a verified bundle; or says why it must wait.
    private func adopt(_ manifest: BundleManifest) throws -> String? {
        try registry.database.write { db in
            switch manifest.record {
            case .encoder(let encoder):
                try encoder.save(db)
            case .head(let head):
                for input in head.reads {
                    guard let encoder = try EncoderRecord.fetch(db, named: input.encoder) else {
                        return "it belongs to encoder '\(input.encoder)', which is not registered. Pull that encoder and "
                            + "restart the daemon."
                    }
                    guard encoder.digest == input.encoderDigest else {
                        return "it was trained on other weights than those of encoder '\(input.encoder)'. Train it "
                            + "again, or delete the folder."
                    }
                }
                try head.save(db)
            }
            return nil
        }
    }

    /// A session's folder without the session is one whose start was cut short, or whose registry was lost.
    private mutating func sweepSessions() throws {
        let known = try registry.database.read { db in Set(try SessionRecord.fetchAll(db).map(\.id)) }
        for name in try directory.names(on: .sessions) where !known.contains(name) {
            let place = try directory.quarantine(directory.folder(.sessions, name))
            report.quarantined[name] = place
            report.notes.append("Moved the files of session '\(name)', which is not recorded, to \(place.path).")
        }
    }

    /// A run's folder without the run holds checkpoints nobody can continue from.
    private mutating func sweepRuns() throws {
        for name in try directory.names(on: .runs) {
            let isKnown = try registry.database.read { try RunRecord.fetch($0, id: name) != nil }
            guard !isKnown else { continue }
            let place = try directory.quarantine(directory.folder(.runs, name))
            report.quarantined[name] = place
            report.notes.append("Moved the files of run '\(name)', which is not recorded, to \(place.path).")
        }
    }
}

extension BundleManifest {
    fileprivate var kind: BundleKind {
        switch record {
        case .encoder: .encoder
        case .head: .head
        }
    }

    fileprivate var created: Double {
        switch record {
        case .encoder(let encoder): encoder.created
        case .head(let head): head.created
        }
    }
}
