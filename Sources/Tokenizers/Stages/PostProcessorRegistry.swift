/// Where the `type` of tokenizer.json's `post_processor` becomes templates. To add one, give it a function and a line.
enum PostProcessorRegistry {
    static let supported = ["TemplateProcessing", "BertProcessing", "RobertaProcessing"]

    static func make(_ node: JSONNode?) throws(TokenizerError) -> PostProcessor {
        guard let node else { return .plain }
        let settings = try node.object("post_processor")
        let type = try settings.string("type")
        switch type {
        case "TemplateProcessing": return try template(settings)
        case "BertProcessing": return try bert(settings)
        case "RobertaProcessing": return try roberta(settings)
        default: throw .unsupported("post-processor", type, supported: supported)
        }
    }

    /// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the pair being segment 1.
    private static func bert(_ settings: JSONObject) throws(TokenizerError) -> PostProcessor {
        let start = try named("cls", of: settings)
        let end = try named("sep", of: settings)
        let single: [PostProcessor.Item] = [
            .special(ids: [start], typeID: 0), .first(typeID: 0), .special(ids: [end], typeID: 0),
        ]
        return PostProcessor(
            single: single, pair: single + [.second(typeID: 1), .special(ids: [end], typeID: 1)], trimming: nil)
    }

    /// `<s> A </s>` and `<s> A </s> </s> B </s>`, all of it segment 0.
    private static func roberta(_ settings: JSONObject) throws(TokenizerError) -> PostProcessor {
        let start = try named("cls", of: settings)
        let end = try named("sep", of: settings)
        let single: [PostProcessor.Item] = [
            .special(ids: [start], typeID: 0), .first(typeID: 0), .special(ids: [end], typeID: 0),
        ]
        let second: [PostProcessor.Item] = [
            .special(ids: [end], typeID: 0), .second(typeID: 0), .special(ids: [end], typeID: 0),
        ]
        let trims = try settings.boolean("trim_offsets")
        let prefixed = try settings.boolean("add_prefix_space")
        return PostProcessor(
            single: single, pair: single + second, trimming: trims ? OffsetTrimming(addsPrefixSpace: prefixed) : nil)
    }

    /// The id in a `["[CLS]", 101]`.
    private static func named(_ key: String, of settings: JSONObject) throws(TokenizerError) -> Int32 {
        let elements = try settings.required(key).elements(settings.path(key))
        guard elements.count == 2 else {
            throw TokenizerError(.invalid, "'\(settings.path(key))' must be a token and its id")
        }
        return try id(elements[1], settings.path(key))
    }

    private static func template(_ settings: JSONObject) throws(TokenizerError) -> PostProcessor {
        var specials: [String: [Int32]] = [:]
        for (token, node) in try settings.object("special_tokens").members {
            let definition = try node.object("post_processor.special_tokens")
            var ids: [Int32] = []
            for element in try definition.required("ids").elements(definition.path("ids")) {
                ids.append(try id(element, definition.path("ids")))
            }
            specials[token] = ids
        }
        let single = try items(settings.required("single"), settings.path("single"), specials)
        let pair = try items(settings.required("pair"), settings.path("pair"), specials)
        guard uses(single) == (first: 1, second: 0), uses(pair) == (first: 1, second: 1) else {
            throw TokenizerError(
                .invalid, "the templates of 'post_processor' must use A once, and B once in the pair only")
        }
        return PostProcessor(single: single, pair: pair, trimming: nil)
    }

    private static func items(
        _ node: JSONNode, _ name: String, _ specials: [String: [Int32]]
    ) throws(TokenizerError) -> [PostProcessor.Item] {
        var items: [PostProcessor.Item] = []
        for element in try node.elements(name) {
            let element = try element.object(name)
            if let sequence = try element.optional("Sequence")?.object(element.path("Sequence")) {
                let typeID = try id(sequence.required("type_id"), sequence.path("type_id"))
                switch try sequence.string("id") {
                case "A": items.append(.first(typeID: typeID))
                case "B": items.append(.second(typeID: typeID))
                case let other: throw TokenizerError(.invalid, "'\(name)' uses the sequence '\(other)', not A or B")
                }
            } else {
                let special = try element.object("SpecialToken")
                let typeID = try id(special.required("type_id"), special.path("type_id"))
                let token = try special.string("id")
                guard let ids = specials[token] else {
                    throw TokenizerError(.invalid, "'\(name)' uses '\(token)', which 'special_tokens' does not define")
                }
                items.append(.special(ids: ids, typeID: typeID))
            }
        }
        return items
    }

    private static func id(_ node: JSONNode, _ name: String) throws(TokenizerError) -> Int32 {
        let value = try node.integer(name)
        guard 0..<Vocabulary.idLimit ~= value else {
            throw TokenizerError(.invalid, "'\(name)' is \(value), which is not in 0..<\(Vocabulary.idLimit)")
        }
        return Int32(value)
    }

    private static func uses(_ items: [PostProcessor.Item]) -> (first: Int, second: Int) {
        items.reduce(into: (first: 0, second: 0)) { counts, item in
            switch item {
            case .first: counts.first += 1
            case .second: counts.second += 1
            case .special: break
            }
        }
    }
}
