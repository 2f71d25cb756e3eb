import Checkpoints
package import Foundation
package import TensorCore
import Tokenizers

/// A text, ready for the encoder.
package struct TokenizedText: Sendable {
    package let ids: [Int32]
    package let typeIDs: [Int32]
    /// Tokens cut off to keep to the encoder's limit.
    package let truncated: Int
    package var count: Int { ids.count }
}

/// Text in, one vector out: tokenizer, encoder and pooling of one Hugging Face folder. Frozen, shared by everyone.
package final class TextEncoder: Sendable {
    package let architecture: String
    package let encoder: any Encoder
    package let pooling: Pooling
    /// Most tokens of one text, special ones included.
    package let maxTokens: Int
    private let tokenizer: Tokenizer
    private let lowercases: Bool

    package var width: Int { encoder.width }

    /// Files a folder must have.
    package static let requiredFiles = ["config.json", "model.safetensors", "tokenizer.json"]

    /// - Throws: `CheckpointError`, `TokenizerError`: the folder is incomplete, damaged or of an unsupported kind; `PrecisionError`.
    package init(folder: URL, precision: Precision = .fp32, registry: EncoderRegistry = .native) throws {
        for file in Self.requiredFiles where !FileManager.default.fileExists(atPath: folder.appending(path: file).path) {
            throw CheckpointError(
                .unreadable, "\(file) is missing; an encoder's folder has \(Self.requiredFiles.joined(separator: ", "))",
                file: folder.path)
        }
        let configuration: Data
        do {
            configuration = try Data(contentsOf: folder.appending(path: "config.json"))
        } catch {
            throw CheckpointError(.unreadable, "config.json cannot be read", file: folder.path, cause: error)
        }
        // The cheap parts first: a wrong folder should fail before ninety megabytes are packed.
        architecture = try registry.architecture(configuration)
        pooling = try Pooling(folder: folder)
        let limits = try SentenceLimits(folder: folder)
        tokenizer = try Tokenizer.load(folder.appending(path: "tokenizer.json"))
        encoder = try registry.build(
            configuration: configuration, weights: Safetensors(folder.appending(path: "model.safetensors")),
            precision: precision)
        guard tokenizer.idUpperBound <= encoder.vocabularySize else {
            throw CheckpointError(
                .invalidConfiguration,
                "tokenizer.json has ids up to \(tokenizer.idUpperBound - 1), but the weights have only \(encoder.vocabularySize) "
                    + "embeddings; the files do not belong together", file: folder.path)
        }
        maxTokens = min(limits.maxTokens ?? encoder.positions, encoder.positions)
        lowercases = limits.lowercases
    }

    /// Another network in the place of `other`'s, with the same tokenizer and pooling.
    init(_ other: TextEncoder, _ encoder: any Encoder) {
        (architecture, pooling, maxTokens) = (other.architecture, other.pooling, other.maxTokens)
        (tokenizer, lowercases) = (other.tokenizer, other.lowercases)
        self.encoder = encoder
    }

    package func tokenize(_ text: String) -> TokenizedText {
        let encoding = tokenizer.encode(lowercases ? text.lowercased() : text, maxLength: maxTokens)
        return TokenizedText(ids: encoding.ids, typeIDs: encoding.typeIDs, truncated: encoding.truncated)
    }

    package func wordTokens(_ text: String) -> [Int]? {
        let text = lowercases ? text.lowercased() : text, encoding = tokenizer.encode(text, maxLength: maxTokens)
        let own = encoding.offsets.indices.filter { !encoding.specialMask[$0] && !encoding.offsets[$0].isEmpty }
        var result: [Int] = [], next = 0
        for word in text.wordRanges {
            while next < own.count, encoding.offsets[own[next]].lowerBound < word.lowerBound { next += 1 }
            if next < own.count, encoding.offsets[own[next]].lowerBound < word.upperBound {
                result.append(own[next])
            } else if next == own.count, encoding.truncated > 0 {
                break
            } else {
                // A word of characters that the normaliser drops: the token before it stands in.
                result.append(next > 0 ? own[next - 1] : own.first ?? 0)
            }
        }
        return result
    }

    /// One vector for each text, pooled from the hidden states at `tap` (the top when nil): `[texts, width]`.
    package func features(_ texts: [TokenizedText], tap: Int? = nil) -> Tensor { features(texts, taps: [tap ?? encoder.layers])[0] }

    /// One vector for each text and each of `taps`, in their order: `[texts, width]` each.
    ///
    /// The texts are dealt to the worker threads by cost, and each thread takes its share through all layers: sequences do not
    /// depend on each other, so there is nothing to wait for in between. A text's vector has the same bits whatever else is in
    /// the batch.
    package func features(_ texts: [TokenizedText], taps: [Int]) -> [Tensor] {
        let results = taps.map { _ in Tensor(uninitialised: [texts.count, self.width]) }
        let outputs = results.map(\.mutablePointer), width = width
        encode(texts, taps: taps) { share, tap, hidden, offsets in
            let pooled = pooling(hidden, offsets)
            for (row, index) in share.enumerated() {
                outputs[tap].advanced(by: index * width).update(from: pooled.pointer + row * width, count: width)
            }
        }
        return results
    }

    /// Hidden states at `tap` of all texts, laid end to end in the texts' order: `[tokens, width]`. A text's states have the same bits
    /// whatever else is in the batch.
    package func states(_ texts: [TokenizedText], tap: Int) -> Tensor {
        let places = SequenceOffsets(lengths: texts.map(\.count))
        let result = Tensor(uninitialised: [places.rows, width])
        let output = result.mutablePointer, width = width
        encode(texts, taps: [tap]) { share, _, hidden, offsets in
            for (position, index) in share.enumerated() {
                let source = offsets[position]
                output.advanced(by: places[index].lowerBound * width).update(
                    from: hidden.pointer + source.lowerBound * width, count: source.count * width)
            }
        }
        return result
    }

    /// Takes each thread's share of the texts through the encoder.
    ///
    /// - Parameter body: called on several threads for each tap: the share, the tap's place in `taps`, the share's hidden states
    ///   `[tokens, width]` there, and where each text lies in them.
    private func encode(_ texts: [TokenizedText], taps: [Int], _ body: ([Int], Int, Tensor, SequenceOffsets) -> Void) {
        let shares = deal(texts, to: WorkerPool.shared.threads)
        WorkerPool.shared.parallel(shares.count) { part in
            var batch = PackedTokens()
            for index in shares[part] { batch.append(ids: texts[index].ids, typeIDs: texts[index].typeIDs) }
            let states = encoder.hiddenStates(batch, taps: Set(taps))
            for (place, tap) in taps.enumerated() {
                guard let hidden = states[tap] else {
                    preconditionFailure("tap \(tap) of an encoder with \(encoder.layers) layers")
                }
                body(shares[part], place, hidden.contiguous(), batch.offsets)
            }
        }
    }

    /// Splits texts into at most `parts` shares of about equal cost, largest texts first to the lightest share.
    private func deal(_ texts: [TokenizedText], to parts: Int) -> [[Int]] {
        var shares = [[Int]](repeating: [], count: max(1, min(parts, texts.count)))
        var costs = [Int](repeating: 0, count: shares.count)
        for index in texts.indices.sorted(by: { (texts[$1].count, $0) < (texts[$0].count, $1) }) {
            let lightest = costs.indices.min { costs[$0] < costs[$1] } ?? 0
            shares[lightest].append(index)
            // Attention grows with the square; at a length of about 4 · width it costs as much as the rest.
            costs[lightest] += texts[index].count * (4 * width + texts[index].count)
        }
        return shares.filter { !$0.isEmpty }
    }
}

extension TextEncoder: FeatureEncoder {
    package var modality: Modality { .text }
    package var taps: [Tap] { (0...encoder.layers).map { Tap(name: String($0), width: encoder.width, hasStates: true) } }
    package var parameterCount: Int { encoder.parameterCount }
    package var precision: Precision { encoder.precision }
    package var weightMemory: WeightMemory { encoder.weightMemory }
    package var poolingName: String { pooling.name }
    package var preprocessing: String { String(maxTokens) }

    package func prepare(_ input: EncoderInput) throws -> PreparedInput {
        guard case .text(let text) = input else { throw ModalityError(expected: .text, got: input.modality) }
        let tokens = tokenize(text)
        // Two for each weight and token; the embeddings are only looked up.
        let weights = max(0, encoder.parameterCount - encoder.vocabularySize * encoder.width)
        return PreparedInput(.tokens(tokens), flops: 2 * Double(weights) * Double(tokens.count))
    }

    package func features(_ inputs: [PreparedInput], taps: [Int]) -> [Tensor] { features(Self.texts(inputs), taps: taps) }

    package func states(_ inputs: [PreparedInput], tap: Int) -> Tensor { states(Self.texts(inputs), tap: tap) }

    private static func texts(_ inputs: [PreparedInput]) -> [TokenizedText] {
        inputs.map { input in
            guard case .tokens(let text) = input.content else { preconditionFailure("a text encoder got \(input.content)") }
            return text
        }
    }

    package func releasePages() { encoder.releasePages() }
}

/// What sentence-transformers wrote about the input: `sentence_bert_config.json`, else `tokenizer_config.json`.
struct SentenceLimits {
    var maxTokens: Int?
    var lowercases = false

    private struct SentenceConfiguration: Decodable {
        var max_seq_length: Int?
        var do_lower_case: Bool?
    }

    private struct TokenizerConfiguration: Decodable {
        // Some files hold 1e30 for "no limit", which is no Int.
        var model_max_length: Double?
    }

    init(folder: URL) throws {
        if let configuration = try Self.read(SentenceConfiguration.self, folder.appending(path: "sentence_bert_config.json")) {
            maxTokens = configuration.max_seq_length
            lowercases = configuration.do_lower_case ?? false
        }
        if maxTokens == nil,
            let length = try Self.read(TokenizerConfiguration.self, folder.appending(path: "tokenizer_config.json"))?.model_max_length,
            length >= 1, length < 1e6
        {
            maxTokens = Int(length)
        }
        if let maxTokens, maxTokens < 2 {
            throw CheckpointError(.invalidConfiguration, "max_seq_length is \(maxTokens), too short for a text", file: folder.path)
        }
    }

    private static func read<Value: Decodable>(_ type: Value.Type, _ url: URL) throws -> Value? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: url))
        } catch {
            throw CheckpointError(.invalidConfiguration, "cannot be decoded", file: url.path, cause: error)
        }
    }
}

extension String {
    /// Words, as white space separates them, in Unicode scalars.
    package var wordRanges: [Range<Int>] {
        var words: [Range<Int>] = [], start: Int?, position = 0
        for scalar in unicodeScalars {
            if scalar.properties.isWhitespace {
                if let first = start { words.append(first..<position) }
                start = nil
            } else if start == nil {
                start = position
            }
            position += 1
        }
        if let first = start { words.append(first..<position) }
        return words
    }
}
