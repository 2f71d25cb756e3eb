/// Puts special tokens around the tokens of a text or a pair, and numbers the segments.
///
/// Every kind of post-processor that tokenizer.json knows is one of these: two templates, and for byte-level
/// vocabularies a rule for white space at the edges of tokens.
struct PostProcessor: Sendable {
    /// One item of a template.
    enum Item: Sendable, Equatable {
        case first(typeID: Int32)
        case second(typeID: Int32)
        case special(ids: [Int32], typeID: Int32)
    }

    var single: [Item]
    var pair: [Item]
    var trimming: OffsetTrimming?

    /// No special tokens: `"post_processor": null`.
    static let plain = PostProcessor(
        single: [.first(typeID: 0)], pair: [.first(typeID: 0), .second(typeID: 1)], trimming: nil)

    /// How many special tokens the template adds.
    func specialCount(pair isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, item in
            if case .special(let ids, _) = item { count + ids.count } else { count }
        }
    }

    /// A number above every id the templates add.
    var idUpperBound: Int {
        (single + pair).reduce(0) { bound, item in
            if case .special(let ids, _) = item { max(bound, Int(ids.max() ?? -1) + 1) } else { bound }
        }
    }

    func assemble(
        _ first: TokenSequence, _ second: TokenSequence?, addSpecialTokens: Bool, vocabulary: Vocabulary
    ) -> Encoding {
        let first = trimming?.applied(to: first, vocabulary: vocabulary) ?? first
        let second = second.map { trimming?.applied(to: $0, vocabulary: vocabulary) ?? $0 }
        let template = second == nil ? single : pair
        let count = first.count + (second?.count ?? 0) + specialCount(pair: second != nil)
        var encoding = Encoding()
        encoding.ids.reserveCapacity(count)
        encoding.typeIDs.reserveCapacity(count)
        encoding.offsets.reserveCapacity(count)
        encoding.specialMask.reserveCapacity(count)
        for item in template {
            switch item {
            case .first(let typeID):
                encoding.append(first, typeID: typeID)
            case .second(let typeID):
                if let second { encoding.append(second, typeID: typeID) }
            case .special(let ids, let typeID):
                guard addSpecialTokens else { continue }
                encoding.append(special: ids, typeID: typeID)
            }
        }
        return encoding
    }
}

extension Encoding {
    fileprivate mutating func append(_ sequence: TokenSequence, typeID: Int32) {
        ids.append(contentsOf: sequence.ids)
        offsets.append(contentsOf: sequence.offsets)
        typeIDs.append(contentsOf: repeatElement(typeID, count: sequence.count))
        specialMask.append(contentsOf: repeatElement(false, count: sequence.count))
    }

    fileprivate mutating func append(special: [Int32], typeID: Int32) {
        ids.append(contentsOf: special)
        offsets.append(contentsOf: repeatElement(0..<0, count: special.count))
        typeIDs.append(contentsOf: repeatElement(typeID, count: special.count))
        specialMask.append(contentsOf: repeatElement(true, count: special.count))
    }
}
