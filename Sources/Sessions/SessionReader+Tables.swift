import Tables
import Yams

extension SessionReader {
    private static let headKeys = [
        "data", "test", "holdout", "text", "image", "label", "task", "kind", "hidden", "dropout", "weight", "loss", "encoder", "encoders",
        "tap", "fusion", "separator", "class_weights", "metrics",
    ]
    private static let trainKeys = [
        "what", "lora", "top", "epochs", "batch", "learning_rate", "body_learning_rate", "layer_decay", "unfreeze", "accumulate",
        "checkpointing", "patience", "validation", "weight_decay", "warmup", "clip_norm", "label_smoothing",
    ]

    func head(_ name: String, _ node: Node, _ encoder: String?) throws -> SessionPlan.Head {
        let table = try SessionTable(node, "head '\(name)'", keys: Self.headKeys)
        var encoders = try table.texts("encoders")
        if let own = try table.text("encoder") {
            guard encoders.isEmpty else { throw problem("Head '\(name)' has `encoder` and `encoders`; give one of them", table["encoder"]) }
            encoders = [own]
        }
        if encoders.isEmpty, let encoder { encoders = [encoder] }
        guard !encoders.isEmpty else {
            throw problem("Head '\(name)' has no encoder: give it one, or the document, e.g. `encoder: minilm`", node)
        }
        guard Set(encoders).count == encoders.count else { throw problem("Head '\(name)' names an encoder twice", table["encoders"]) }
        for encoder in encoders { try requireName(encoder, "encoder", table["encoders"] ?? table["encoder"] ?? root["encoder"]) }
        var head = SessionPlan.Head(
            name: name, data: try table.required("data", "tickets.csv"), label: try table.required("label", "intent"), encoders: encoders)
        head.test = try table.text("test")
        head.holdout = try table.number("holdout", "0 to below 1, e.g. 0.2") { (0..<1).contains($0) } ?? 0
        if head.test != nil, head.holdout > 0 {
            throw problem("Head '\(name)' has `test` and `holdout`; give one of them", table["holdout"])
        }
        head.texts = try table.texts("text")
        head.images = try table.texts("image")
        guard !head.columns.isEmpty else {
            throw problem("Head '\(name)' reads no column: give it one, e.g. `text: message`", node)
        }
        if let word = try table.choice("task", SessionPlan.Task.allCases.map(\.rawValue), "task") {
            head.task = SessionPlan.Task(rawValue: word) ?? .classify
        }
        head.kind = try kind(table, head.task, name)
        head.weight = try table.number("weight", "above 0 and at most 1000") { $0 > 0 && $0 <= 1000 } ?? 1
        head.loss = try loss(table, name)
        head.tap = try table.text("tap") ?? ""
        if let word = try table.choice("fusion", SessionPlan.Fusion.allCases.map(\.rawValue), "way to fuse features") {
            head.fusion = SessionPlan.Fusion(rawValue: word)
        }
        if encoders.count == 1, head.fusion != nil {
            throw problem("Head '\(name)' has one encoder, and nothing to fuse: name several with `encoders`", table["fusion"])
        }
        if encoders.count > 1, head.fusion == nil { head.fusion = .concat }
        if let separator = try table.text("separator") {
            guard separator.count == 1 else { throw problem("`separator` of head '\(name)' must be one character", table["separator"]) }
            head.separator = separator
        }
        head.classWeights = try table.flag("class_weights") ?? false
        head.metrics = try table.texts("metrics")
        for metric in head.metrics where !head.task.metrics.contains(metric) {
            throw unknown(metric, "metric of the task \(head.task.rawValue)", head.task.metrics, table["metrics"])
        }
        return head
    }

    private func kind(_ table: SessionTable, _ task: SessionPlan.Task, _ name: String) throws -> SessionPlan.Kind {
        let word = try table.text("kind") ?? (task == .tag ? "tagger" : "linear"), node = table["kind"]
        let hidden = try table.whole("hidden", (word == "tagger" ? 0 : 1)...SessionPlan.Kind.largestHidden)
        let dropout = try table.number("dropout", "0 to below 1") { (0..<1).contains($0) } ?? SessionPlan.Kind.defaultDropout
        let isSized = word == "mlp" || word == "tagger"
        for key in ["hidden", "dropout"] where table[key] != nil && !isSized {
            throw problem("`\(key)` of head '\(name)' is for the kinds mlp and tagger, and its kind is \(word)", table[key])
        }
        guard (task == .tag) == (word == "tagger") else {
            throw problem(
                task == .tag
                    ? "Head '\(name)' labels words: its kind is tagger" : "Head '\(name)' of kind tagger labels words: its task is tag", node)
        }
        switch word {
        case "linear": return .linear
        case "mlp": return .mlp(hidden: hidden ?? SessionPlan.Kind.defaultHidden, dropout: dropout)
        case "tagger": return .tagger(hidden: hidden ?? 0, dropout: dropout)
        case _ where word.hasSuffix(".onnx"): return .graph(file: word)
        default: throw unknown(word, "kind of head, nor a file NAME.onnx", SessionPlan.Kind.names, node)
        }
    }

    /// `plugin focal-loss` or `{plugin: focal-loss}`.
    private func loss(_ table: SessionTable, _ head: String) throws -> String? {
        guard let node = table["loss"] else { return nil }
        let plugin: String
        if case .mapping = node {
            plugin = try SessionTable(node, "the loss of head '\(head)'", keys: ["plugin"]).required("plugin", "focal-loss")
        } else {
            let parts = try (table.text("loss") ?? "").split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0] == "plugin" else {
                throw problem(
                    "`loss` of head '\(head)' is \(shown(node)); it takes `plugin NAME`, or is left out for the task's own loss", node)
            }
            plugin = String(parts[1])
        }
        try requireName(plugin, "plugin", node)
        return plugin
    }

    func train(_ node: Node) throws -> SessionPlan.Train {
        let table = try SessionTable(node, "`train`", keys: Self.trainKeys)
        var train = SessionPlan.Train()
        train.what = try trainable(table)
        train.epochs = try table.whole("epochs", 1...10_000) ?? (train.what.hasBody ? 5 : train.epochs)
        train.batch = try table.whole("batch", 1...65_536) ?? (train.what.hasBody ? 32 : train.batch)
        train.learningRate = try table.number("learning_rate", "above 0 and at most 10") { $0 > 0 && $0 <= 10 }
        train.bodyLearningRate =
            try table.number("body_learning_rate", "above 0 and at most 10") { $0 > 0 && $0 <= 10 } ?? train.bodyLearningRate
        train.layerDecay = try table.number("layer_decay", "above 0 and at most 1") { $0 > 0 && $0 <= 1 } ?? 1
        train.unfreeze = try table.whole("unfreeze", 0...10_000) ?? 0
        train.accumulate = try table.whole("accumulate", 1...1024) ?? 1
        train.patience = try table.whole("patience", 1...10_000) ?? train.patience
        train.validation = try table.number("validation", "0 to below 1") { (0..<1).contains($0) } ?? train.validation
        train.weightDecay = try table.number("weight_decay", "0 to 10") { (0...10).contains($0) } ?? train.weightDecay
        train.warmup = try table.number("warmup", "0 to 1") { (0...1).contains($0) } ?? train.warmup
        train.clipNorm = try table.number("clip_norm", "above 0") { $0 > 0 }
        train.labelSmoothing = try table.number("label_smoothing", "0 to below 1") { (0..<1).contains($0) } ?? train.labelSmoothing
        if let word = try table.choice("checkpointing", SessionPlan.Recomputation.allCases.map(\.rawValue), "way of checkpointing") {
            train.checkpointing = SessionPlan.Recomputation(rawValue: word) ?? .auto
        }
        if !train.what.hasBody {
            for key in ["body_learning_rate", "layer_decay", "unfreeze", "checkpointing"] where table[key] != nil {
                throw problem("`\(key)` is about the encoder, of which nothing is trained: set `what: lora` or `what: top`, or leave it out", table[key])
            }
        }
        return train
    }

    private func trainable(_ table: SessionTable) throws -> SessionPlan.Trainable {
        let what = try table.choice("what", SessionPlan.Trainable.names, "part to be trained") ?? "heads"
        if what != "lora", table["lora"] != nil { throw problem("`lora` is there, but `what` is \(what): set `what: lora`", table["lora"]) }
        if what != "top", table["top"] != nil { throw problem("`top` is there, but `what` is \(what): set `what: top`", table["top"]) }
        switch what {
        case "lora": return .lora(try table["lora"].map(lowRank) ?? SessionPlan.LowRank())
        case "top":
            guard let layers = try table.whole("top", 1...1024) else {
                throw problem("`what: top` needs the number of layers, e.g. `top: 2`", table["what"])
            }
            return .top(layers: layers)
        default: return .heads
        }
    }

    private func lowRank(_ node: Node) throws -> SessionPlan.LowRank {
        let table = try SessionTable(node, "`lora`", keys: ["rank", "alpha", "targets"])
        var lowRank = SessionPlan.LowRank()
        lowRank.rank = try table.whole("rank", 1...1024) ?? lowRank.rank
        lowRank.alpha = try table.number("alpha", "above 0 and at most 10000") { $0 > 0 && $0 <= 10_000 } ?? Double(2 * lowRank.rank)
        if table["targets"] != nil {
            lowRank.targets = try table.texts("targets")
            for target in lowRank.targets where !SessionPlan.LowRank.knownTargets.contains(target) {
                throw unknown(target, "linear map of an encoder's layers", SessionPlan.LowRank.knownTargets, table["targets"])
            }
        }
        return lowRank
    }

    func requireName(_ name: String, _ noun: String, _ node: Node?) throws {
        let isName =
            name.utf8.count <= 64
            && name.utf8.enumerated().allSatisfy { index, byte in
                let isPlain = byte < 128 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
                return isPlain || (index > 0 && "._-".utf8.contains(byte))
            }
        guard !name.isEmpty, isName else {
            throw problem(
                "'\(name.prefix(80))' cannot be the name of \(noun == "encoder" ? "an" : "a") \(noun): use 1 to 64 letters (a–z, A–Z), "
                    + "digits, dots, dashes and underscores, starting with a letter or a digit", node)
        }
    }

    /// What only several tables together show.
    func check(_ plan: SessionPlan) throws {
        let shares = plan.train.what.hasBody
        if plan.balance.needsSharedWeights, !shares {
            throw problem(
                "`balance: \(plan.balance.rawValue)` looks at gradients of weights that heads share, and none are trained: set `what: lora` "
                    + "or `what: top`, or choose fixed or uncertainty", root["balance"])
        }
        guard shares else { return }
        if let head = plan.heads.first(where: { !$0.tap.isEmpty }) {
            throw problem("Head '\(head.name)' reads a tap; heads on an encoder that is trained with them read its top", root["heads"])
        }
        guard plan.encoders.count == 1 else {
            throw problem(
                "One encoder can be trained with its heads, and the heads name \(plan.encoders.joined(separator: ", ")): use one, or "
                    + "`what: heads`", root["heads"])
        }
        if let head = plan.heads.first(where: { $0.name == plan.name }) {
            throw problem(
                "The adapted encoder is registered under the session's name, '\(plan.name)', which is head '\(head.name)'s as well: rename one",
                root["name"])
        }
    }
}
