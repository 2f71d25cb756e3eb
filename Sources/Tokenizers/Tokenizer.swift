package import Foundation

/// A Hugging Face tokenizer, as described by a `tokenizer.json`.
///
/// Text passes through: added tokens → normalizer → pre-tokenizer → model → truncation → post-processor. Everything is
/// immutable once built, so one tokenizer serves any number of threads at once.
///
/// Truncation and padding that the file asks for are ignored: how long a text may be is the caller's decision, and
/// padding does not occur in packed sequences.
package struct Tokenizer: Sendable {
    private let added: AddedTokens
    private let normalizer: any Normalizer
    private let preTokenizer: any PreTokenizer
    private let model: any TokenizerModel
    private let postProcessor: PostProcessor
    private let decoder: any TokenDecoder

    /// Largest tokenizer.json accepted, in bytes. The largest published ones have about 35 MB.
    package static let fileSizeLimit = 64 << 20

    /// Reads a `tokenizer.json`.
    ///
    /// Throws: `TokenizerError`, with the file's path.
    package static func load(_ file: URL) throws -> Tokenizer {
        let data: Data
        do {
            let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? UInt64 ?? 0
            guard size <= fileSizeLimit else { throw tooLarge(size) }
            data = try Data(contentsOf: file)
        } catch var error as TokenizerError {
            error.file = file.path
            throw error
        } catch {
            throw TokenizerError(
                .unreadable, "cannot be read; check that it exists and that you may read it", file: file.path,
                cause: error)
        }
        do {
            return try Tokenizer(json: data)
        } catch var error as TokenizerError {
            error.file = file.path
            throw error
        }
    }

    /// Builds a tokenizer from the text of a `tokenizer.json`.
    ///
    /// Throws: `TokenizerError` where the text is too large, not JSON, incomplete, or asks for a component that is not
    /// supported.
    package init(json: Data) throws {
        guard json.count <= Self.fileSizeLimit else { throw Self.tooLarge(UInt64(json.count)) }
        let root = try JSONDocument(json).root.object("tokenizer.json")
        if let version = try root.optional("version")?.string("version"), version != "1.0" {
            throw TokenizerError(.unsupported, "version '\(version)' of the format is not supported; supported is: 1.0")
        }
        normalizer = try NormalizerRegistry.make(root.optional("normalizer"))
        preTokenizer = try PreTokenizerRegistry.make(root.optional("pre_tokenizer"))
        model = try TokenizerModelRegistry.make(root.required("model"))
        added = try AddedTokens(
            root.optional("added_tokens"), vocabulary: model.vocabulary, normalizer: normalizer)
        postProcessor = try PostProcessorRegistry.make(root.optional("post_processor"))
        decoder = try TokenDecoderRegistry.make(root.optional("decoder"))
    }

    private static func tooLarge(_ size: UInt64) -> TokenizerError {
        TokenizerError(.tooLarge, "\(size) bytes is more than the \(fileSizeLimit) a tokenizer.json may have")
    }

    /// Number of tokens, added ones included.
    package var vocabularySize: Int { model.vocabulary.count + added.extending }

    /// A number above every id that `encode` can return: an embedding table needs at least as many rows. Larger than
    /// `vocabularySize` where the ids have gaps.
    package var idUpperBound: Int {
        let highestAdded = added.byID.keys.max().map { Int($0) + 1 } ?? 0
        return max(model.vocabulary.idUpperBound, highestAdded, postProcessor.idUpperBound)
    }

    /// The id of a token, given as the vocabulary writes it.
    package func id(of token: String) -> Int32? {
        let text = Array(token.utf8)[...]
        return model.vocabulary.id(of: text) ?? added.byID.values.first { $0.text == text }?.id
    }

    /// Encodes a text or a pair of texts.
    ///
    /// - Parameter maxLength: most tokens to return, special ones included; the longer text is shortened first, from
    ///   the right. Special tokens stay even where they alone are more.
    package func encode(
        _ text: String, pair: String? = nil, addSpecialTokens: Bool = true, maxLength: Int? = nil
    ) -> Encoding {
        var first = tokens(of: text)
        var second = pair.map(tokens(of:))
        let total = first.count + (second?.count ?? 0)
        if let maxLength {
            let special = addSpecialTokens ? postProcessor.specialCount(pair: pair != nil) : 0
            let kept = Truncation.lengths(first.count, second?.count ?? 0, limit: max(0, maxLength - special))
            first.truncate(to: kept.first)
            second?.truncate(to: kept.second)
        }
        let remaining = first.count + (second?.count ?? 0)
        var encoding = postProcessor.assemble(
            first, second, addSpecialTokens: addSpecialTokens, vocabulary: model.vocabulary)
        encoding.truncated = total - remaining
        return encoding
    }

    /// The text that ids stand for. Ids that no token has are left out.
    ///
    /// - Parameter skipSpecial: leave special tokens out.
    package func decode(_ ids: [Int32], skipSpecial: Bool) -> String {
        var texts: [ArraySlice<UInt8>] = []
        texts.reserveCapacity(ids.count)
        for id in ids {
            if let token = added.byID[id] {
                if skipSpecial && token.isSpecial { continue }
                texts.append(token.decoded)
            } else if let text = model.vocabulary.bytes(of: id) {
                texts.append(text)
            }
        }
        return String(decoding: decoder.decode(texts), as: UTF8.self)
    }

    private func tokens(of text: String) -> TokenSequence {
        let scalars = UTF8Text.scalars(text)
        var sequence = TokenSequence()
        for piece in added.source.split(scalars) {
            switch piece {
            case .token(let id, let range):
                sequence.append(added: id, range, of: scalars)
            case .text(let range):
                var part = AlignedText(scalars[range])
                normalizer.normalize(&part)
                appendTokens(ofNormalized: part, startingAt: range.lowerBound, source: scalars, to: &sequence)
            }
        }
        return sequence
    }

    /// - Parameter start: where in `source` the scalar lies that `text` calls 0.
    private func appendTokens(
        ofNormalized text: AlignedText, startingAt start: Int, source: [UInt32], to sequence: inout TokenSequence
    ) {
        for piece in added.normalized.split(text.scalars) {
            switch piece {
            case .token(let id, let range):
                sequence.append(added: id, text.sourceRange(range).shifted(by: start), of: source)
            case .text(let range):
                var cut = PreTokenizedText(range.count == text.count ? text : text.part(range))
                preTokenizer.split(&cut)
                var tokens: [ModelToken] = []
                tokens.reserveCapacity(cut.words.count * 2)
                for word in cut.words { model.tokenize(word, of: cut.text, into: &tokens) }
                for token in tokens {
                    sequence.append(token.id, cut.text.sourceRange(token.range).shifted(by: start))
                }
            }
        }
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> {
        (lowerBound + distance)..<(upperBound + distance)
    }
}

extension TokenSequence {
    /// Appends an added token, with the white space at its edges: its own, and what it took.
    fileprivate mutating func append(added id: Int32, _ range: Range<Int>, of source: [UInt32]) {
        let leading = source[range].prefix(while: OffsetTrimming.isSpace).count
        let trailing = source[range].reversed().prefix(while: OffsetTrimming.isSpace).count
        if leading + trailing > 0 { edgeSpace.append((count, leading, trailing)) }
        append(id, range)
    }
}
