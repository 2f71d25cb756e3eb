import Encoders
import Heads
import State

/// An input of a head with the encoder behind it.
struct FeatureSource: Sendable {
    let input: HeadInput
    let loaded: LoadedEncoder
    let tap: Int
    /// Which of the rows' columns it reads.
    let column: Int

    var space: FeatureSpace { loaded.space(tap: tap, form: input.form) }

    /// What the head's network is told of it.
    var features: HeadFeatures {
        HeadFeatures(
            name: input.name, form: input.form, width: loaded.encoder.taps[tap].width, featureSpace: space.key, tap: tap)
    }

    /// Sources with equal identities have the same features of the same rows.
    var identity: Identity { Identity(space: space.key, column: column) }

    struct Identity: Hashable {
        let space: String
        let column: Int
    }
}

extension LoadedEncoder {
    /// The features of a tap, in one form or the other, in the cache.
    func space(tap: Int, form: FeatureForm) -> FeatureSpace {
        let pooled = space(tap: tap)
        guard form == .states else { return pooled }
        return FeatureSpace(
            weights: pooled.weights, tap: "\(tap)/states", preprocessing: pooled.preprocessing, precision: pooled.precision)
    }

    /// - Throws: `invalidArgument` when there are no states of tokens at the tap.
    func requireStates(_ tap: Int, for input: String) throws {
        guard !encoder.taps[tap].hasStates else { return }
        let others = encoder.taps.filter(\.hasStates).map(\.name)
        let advice =
            encoder.modality == .image
            ? "It reads images, of which there is only one vector each: give the graph an input [rows, \(encoder.taps[tap].width)]."
            : "Taps that have them: \(others.isEmpty ? "none" : others.prefix(20).joined(separator: ", "))."
        throw WorkbenchError(
            .invalidArgument,
            "Input \"\(input)\" of the graph reads token states, and tap \"\(encoder.taps[tap].name)\" of encoder '\(record.name)' has "
                + "none. \(advice)")
    }
}

extension [FeatureSource] {
    /// The sources of a head in memory.
    ///
    /// - Parameter encoder: loads one.
    /// - Throws: `notFound` when an encoder is gone, `unsupported` when it gives other features than the head was trained on.
    static func of(
        _ head: LoadedHead, encoder: (String) async throws -> LoadedEncoder
    ) async throws -> [FeatureSource] {
        let reads = head.record.reads, columns = head.record.columns
        guard reads.count == head.bundle.description.features.count else {
            throw WorkbenchError(
                .corrupt, "Head '\(head.record.name)' is registered with other inputs than its files have. Train it again.")
        }
        var sources: [FeatureSource] = []
        for (input, features) in zip(reads, head.bundle.description.features) {
            let loaded: LoadedEncoder
            do {
                loaded = try await encoder(input.encoder)
            } catch var error as WorkbenchError where error.code == .notFound {
                error.message =
                    "Head '\(head.record.name)' reads encoder '\(input.encoder)'"
                    + (input.name.isEmpty ? "" : " through its input \"\(input.name)\"")
                    + ", which is not registered. Pull the same encoder again under this name, or train the head again."
                throw error
            }
            let source = FeatureSource(
                input: input, loaded: loaded, tap: features.tap, column: columns.firstIndex(of: input.column) ?? 0)
            guard loaded.encoder.taps.indices.contains(features.tap), source.space.isSource(ofKey: features.featureSpace)
            else {
                throw WorkbenchError(
                    .unsupported,
                    "Head '\(head.record.name)' was trained on other features than encoder '\(input.encoder)' gives now. Train it again."
                )
            }
            sources.append(source)
        }
        return sources
    }

    /// Checks that each source's column holds what its encoder reads.
    func require(_ columns: [[EncoderInput]]) throws {
        for source in self {
            for input in columns[source.column].prefix(1) { try source.loaded.require(input.modality) }
        }
    }

    /// How many texts were cut, at which limit; nil when none was.
    func truncationNote(_ features: RowFeatures) -> String? {
        let cut = features.truncatedRows
        guard cut > 0 else { return nil }
        let limits = Set(map(\.loaded.encoder.maxTokens)).sorted().map(String.init).joined(separator: " or ")
        let what = count == 1 ? "texts are" : "rows have a text that is"
        return "\(cut) of \(features.rows) \(what) longer than \(limits) tokens and \(count == 1 ? "were" : "was") cut."
    }
}
