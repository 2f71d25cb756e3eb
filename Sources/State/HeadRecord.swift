package import Encoders
import GRDB

/// A trained head.
package struct HeadRecord: Codable, Hashable, Sendable {
    package var name: String
    package var encoder: String
    /// Digest of the encoder's weights the head was trained on: under another encoder of the same name it is useless.
    package var encoderDigest: String
    /// "classify", "multilabel", "regress".
    package var task: String
    /// "linear", "mlp", "graph".
    package var kind: String
    package var labels: [String]
    package var parameters: Int
    /// SHA-256 of the weights file, 64 hexadecimal digits.
    package var digest: String
    /// Seconds since 1970.
    package var created: Double
    /// Of the test rows, e.g. "accuracy", "macro_f1", "mae", "r2".
    package var metrics: [String: Double]
    /// Id of the run that made it.
    package var run: String
    /// Name of the tap whose hidden states it reads.
    package var tap: String
    package var modality: Modality
    /// What the inputs of its graph read; nil for a head that reads one pooled vector, from `encoder` at `tap`.
    package var inputs: [HeadInput]?
    /// What clients do for it, "preprocess" or "postprocess"; nil: nothing.
    package var calls: [CallKind]?
    /// Name of the client that trained it so.
    package var servedBy: String?
    /// Every file of the bundle; left empty by the caller, filled by `Registry.addHead`.
    package var files: [BundleFile]

    package init(
        name: String, encoder: String, encoderDigest: String, task: String, kind: String, labels: [String],
        parameters: Int, digest: String, created: Double, metrics: [String: Double] = [:], run: String = "",
        tap: String,
        modality: Modality = .text, inputs: [HeadInput]? = nil, files: [BundleFile] = []
    ) {
        self.name = name
        self.encoder = encoder
        self.encoderDigest = encoderDigest
        self.task = task
        self.kind = kind
        self.labels = labels
        self.parameters = parameters
        self.digest = digest
        self.created = created
        self.metrics = metrics
        self.run = run
        self.tap = tap
        self.modality = modality
        self.inputs = inputs
        self.files = files
    }

    /// What it reads, one entry for each input of its network.
    package var reads: [HeadInput] {
        inputs
            ?? [HeadInput(name: "", encoder: encoder, encoderDigest: encoderDigest, tap: tap, form: .pooled, column: "")]
    }

    /// Names of the columns it reads, in the order in which its inputs name them first.
    package var columns: [String] {
        reads.reduce(into: []) { if !$0.contains($1.column) { $0.append($1.column) } }
    }
}

extension HeadRecord {
    /// Reads a manifest. One that was written before a field existed has what the registry's migration gives that field.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let tap: String
        do {
            tap = try values.decode(String.self, forKey: .tap)
        } catch DecodingError.typeMismatch {
            // A tap was the number of a layer before taps had names.
            tap = String(try values.decode(Int.self, forKey: .tap))
        }
        self.init(
            name: try values.decode(String.self, forKey: .name), encoder: try values.decode(String.self, forKey: .encoder),
            encoderDigest: try values.decode(String.self, forKey: .encoderDigest),
            task: try values.decode(String.self, forKey: .task), kind: try values.decode(String.self, forKey: .kind),
            labels: try values.decode([String].self, forKey: .labels),
            parameters: try values.decode(Int.self, forKey: .parameters),
            digest: try values.decode(String.self, forKey: .digest), created: try values.decode(Double.self, forKey: .created),
            metrics: try values.decode([String: Double].self, forKey: .metrics), run: try values.decode(String.self, forKey: .run),
            tap: tap,
            modality: try values.decodeIfPresent(Modality.self, forKey: .modality) ?? .text,
            inputs: try values.decodeIfPresent([HeadInput].self, forKey: .inputs),
            files: try values.decode([BundleFile].self, forKey: .files))
        calls = try values.decodeIfPresent([CallKind].self, forKey: .calls)
        servedBy = try values.decodeIfPresent(String.self, forKey: .servedBy)
    }

    static let upsert = """
        INSERT INTO head (name, encoder, encoderDigest, task, kind, labels, parameters, digest, created, metrics, run,
            tap, files, modality, inputs, calls, servedBy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET encoder = excluded.encoder, encoderDigest = excluded.encoderDigest,
            task = excluded.task, kind = excluded.kind, labels = excluded.labels, parameters = excluded.parameters,
            digest = excluded.digest, created = excluded.created, metrics = excluded.metrics, run = excluded.run,
            tap = excluded.tap, files = excluded.files, modality = excluded.modality,
            inputs = excluded.inputs, calls = excluded.calls, servedBy = excluded.servedBy
        """

    func save(_ db: Database) throws {
        try BundleKind.head.claim(name, db)
        try db.execute(
            sql: Self.upsert,
            arguments: [
                name, encoder, encoderDigest, task, kind, StateJSON.text(labels), parameters, digest, created,
                StateJSON.text(metrics), run, tap, StateJSON.text(files), modality.rawValue,
                inputs.map { try StateJSON.text($0) }, calls.map { try StateJSON.text($0) }, servedBy,
            ])
    }

    init(row: Row) throws {
        self.init(
            name: row["name"], encoder: row["encoder"], encoderDigest: row["encoderDigest"], task: row["task"],
            kind: row["kind"], labels: try StateJSON.value([String].self, row["labels"]),
            parameters: row["parameters"], digest: row["digest"], created: row["created"],
            metrics: try StateJSON.value([String: Double].self, row["metrics"]), run: row["run"], tap: row["tap"],
            modality: Modality(rawValue: row["modality"]) ?? .text,
            inputs: try (row["inputs"] as String?).map { try StateJSON.value([HeadInput].self, $0) },
            files: try StateJSON.value([BundleFile].self, row["files"]))
        calls = try (row["calls"] as String?).map { try StateJSON.value([CallKind].self, $0) }
        servedBy = row["servedBy"]
    }

    static func fetch(_ db: Database, named name: String) throws -> HeadRecord? {
        try Row.fetchOne(db, sql: "SELECT * FROM head WHERE name = ?", arguments: [name]).map(HeadRecord.init)
    }

    static func fetchAll(_ db: Database) throws -> [HeadRecord] {
        try Row.fetchAll(db, sql: "SELECT * FROM head ORDER BY name").map(HeadRecord.init)
    }

    static func names(_ db: Database, of encoder: String) throws -> [String] {
        // Heads are few, and one that reads several encoders lists them in its inputs.
        try fetchAll(db).filter { $0.reads.contains { $0.encoder == encoder } }.map(\.name)
    }
}

/// What a client may do in the daemon's place.
package enum CallKind: String, Sendable, Codable, Hashable, CaseIterable {
    /// Inputs in, as many inputs out: before training, and before every prediction.
    case preprocess
    /// A batch's outputs and targets in, the mean loss and its gradients by the outputs out.
    case loss
    /// Outputs and targets of validation or test rows in, numbers out.
    case metrics
    /// Outputs in, predictions out.
    case postprocess
}
