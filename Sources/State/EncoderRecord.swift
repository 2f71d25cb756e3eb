package import Encoders
import GRDB

/// A registered encoder.
package struct EncoderRecord: Codable, Hashable, Sendable {
    package var name: String
    /// The checkpoint's `model_type`, e.g. "bert".
    package var architecture: String
    package var parameters: Int
    /// Size of all files.
    package var bytes: Int
    package var width: Int
    package var layers: Int
    package var maxTokens: Int
    package var pooling: String
    package var modality: Modality
    /// Names of its taps, the top one last.
    package var taps: [String]
    /// What it was pulled from: "minilm", "hf:ORG/NAME", a path.
    package var source: String
    package var revision: String
    package var licence: String
    /// SHA-256 of the weights file, 64 hexadecimal digits.
    package var digest: String
    /// Seconds since 1970.
    package var created: Double
    /// What it computes in where a request does not say.
    package var precision: Precision
    /// The encoder it was trained from, whose files it needs as well; nil for one that is whole.
    package var base: AdaptedBase?
    /// Every file of the bundle; left empty by the caller, filled by `Registry.addEncoder`.
    package var files: [BundleFile]

    package init(
        name: String, architecture: String, parameters: Int, bytes: Int = 0, width: Int, layers: Int, maxTokens: Int,
        pooling: String, modality: Modality = .text, taps: [String] = [], source: String, revision: String = "",
        licence: String = "", digest: String,
        created: Double, precision: Precision = .fp32, base: AdaptedBase? = nil, files: [BundleFile] = []
    ) {
        self.name = name
        self.architecture = architecture
        self.parameters = parameters
        self.bytes = bytes
        self.width = width
        self.layers = layers
        self.maxTokens = maxTokens
        self.pooling = pooling
        self.modality = modality
        self.taps = taps
        self.source = source
        self.revision = revision
        self.licence = licence
        self.digest = digest
        self.created = created
        self.precision = precision
        self.base = base
        self.files = files
    }
}

extension EncoderRecord {
    /// Reads a manifest. One that was written before a field existed has what the registry's migration gives that field.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let layers = try values.decode(Int.self, forKey: .layers)
        self.init(
            name: try values.decode(String.self, forKey: .name),
            architecture: try values.decode(String.self, forKey: .architecture),
            parameters: try values.decode(Int.self, forKey: .parameters), bytes: try values.decode(Int.self, forKey: .bytes),
            width: try values.decode(Int.self, forKey: .width), layers: layers,
            maxTokens: try values.decode(Int.self, forKey: .maxTokens), pooling: try values.decode(String.self, forKey: .pooling),
            modality: try values.decodeIfPresent(Modality.self, forKey: .modality) ?? .text,
            taps: try values.decodeIfPresent([String].self, forKey: .taps) ?? (0...max(layers, 0)).map(String.init),
            source: try values.decode(String.self, forKey: .source), revision: try values.decode(String.self, forKey: .revision),
            licence: try values.decode(String.self, forKey: .licence), digest: try values.decode(String.self, forKey: .digest),
            created: try values.decode(Double.self, forKey: .created),
            precision: try values.decodeIfPresent(Precision.self, forKey: .precision) ?? .fp32,
            base: try values.decodeIfPresent(AdaptedBase.self, forKey: .base), files: try values.decode([BundleFile].self, forKey: .files))
    }

    /// Where an encoder's weights may lie.
    package static let weightsFiles: Set = [
        "model.safetensors", "model.onnx", "onnx/model.onnx", PeftAdapter.weightsFile, AdaptedFolder.layersFile,
    ]

    package var weights: BundleFile? { files.first { Self.weightsFiles.contains($0.path) } }

    static let upsert = """
        INSERT INTO encoder (name, architecture, parameters, bytes, width, layers, maxTokens, pooling, source, revision,
            licence, digest, created, files, modality, taps, precision, base)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET architecture = excluded.architecture, parameters = excluded.parameters,
            bytes = excluded.bytes, width = excluded.width, layers = excluded.layers, maxTokens = excluded.maxTokens,
            pooling = excluded.pooling, source = excluded.source, revision = excluded.revision,
            licence = excluded.licence, digest = excluded.digest, created = excluded.created, files = excluded.files,
            modality = excluded.modality, taps = excluded.taps, precision = excluded.precision, base = excluded.base
        """

    func save(_ db: Database) throws {
        try BundleKind.encoder.claim(name, db)
        try db.execute(
            sql: Self.upsert,
            arguments: [
                name, architecture, parameters, bytes, width, layers, maxTokens, pooling, source, revision, licence,
                digest, created, StateJSON.text(files), modality.rawValue, StateJSON.text(taps), precision.rawValue,
                try base.map { try StateJSON.text($0) },
            ])
    }

    init(row: Row) throws {
        self.init(
            name: row["name"], architecture: row["architecture"], parameters: row["parameters"], bytes: row["bytes"],
            width: row["width"], layers: row["layers"], maxTokens: row["maxTokens"], pooling: row["pooling"],
            modality: Modality(rawValue: row["modality"]) ?? .text,
            taps: try StateJSON.value([String].self, row["taps"]),
            source: row["source"], revision: row["revision"], licence: row["licence"], digest: row["digest"],
            created: row["created"], precision: Precision(rawValue: row["precision"]) ?? .fp32,
            base: try (row["base"] as String?).map { try StateJSON.value(AdaptedBase.self, $0) },
            files: try StateJSON.value([BundleFile].self, row["files"]))
    }

    static func fetch(_ db: Database, named name: String) throws -> EncoderRecord? {
        try Row.fetchOne(db, sql: "SELECT * FROM encoder WHERE name = ?", arguments: [name]).map(EncoderRecord.init)
    }

    /// Names of the encoders that were trained from this one.
    static func names(_ db: Database, trainedFrom base: String) throws -> [String] {
        try fetchAll(db).filter { $0.base?.name == base }.map(\.name)
    }

    static func fetchAll(_ db: Database) throws -> [EncoderRecord] {
        try Row.fetchAll(db, sql: "SELECT * FROM encoder ORDER BY name").map(EncoderRecord.init)
    }
}
