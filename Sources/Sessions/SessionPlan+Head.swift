extension SessionPlan {
    /// One task: its data, what it reads, and the network that learns it.
    package struct Head: Sendable, Codable, Equatable {
        package var name: String
        /// A CSV, TSV or JSONL file, relative to the document.
        package var data: String
        /// A file of the same columns to measure on; otherwise `holdout` of the rows, when above 0.
        package var test: String?
        package var holdout = 0.0
        /// Columns of texts, then of images, that the head reads.
        package var texts: [String] = []
        package var images: [String] = []
        package var label: String
        package var task = Task.classify
        package var kind = Kind.linear
        /// Of its loss in the joint one.
        package var weight = 1.0
        /// Name of the plugin that computes the loss; nil: the task's own.
        package var loss: String?
        /// One, or several whose features are fused.
        package var encoders: [String]
        /// Name of the tap that is read; empty: the top.
        package var tap = ""
        package var fusion: Fusion?
        /// Between labels of `multilabel`.
        package var separator = "|"
        /// Rare labels count as much as frequent ones.
        package var classWeights = false
        /// Of the test rows' metrics, those that are kept; empty: all.
        package var metrics: [String] = []

        package init(name: String, data: String, label: String, encoders: [String]) {
            self.name = name
            self.data = data
            self.label = label
            self.encoders = encoders
        }

        package var columns: [String] { texts + images }
    }

    package enum Task: String, Sendable, Codable, CaseIterable {
        case classify, multilabel, regress, tag

        /// Metrics of its test rows.
        package var metrics: [String] {
            switch self {
            case .classify: ["accuracy", "macro_f1"]
            case .multilabel: ["micro_f1", "macro_f1", "subset_accuracy"]
            case .regress: ["mae", "rmse", "r2"]
            case .tag: ["span_f1", "span_precision", "span_recall", "word_accuracy"]
            }
        }
    }

    /// A head's network.
    package enum Kind: Sendable, Codable, Equatable {
        case linear
        case mlp(hidden: Int, dropout: Double)
        case tagger(hidden: Int, dropout: Double)
        /// An ONNX file, relative to the document.
        case graph(file: String)

        package static let names = ["linear", "mlp", "tagger"]
        package static let defaultHidden = 512
        package static let defaultDropout = 0.3
        package static let largestHidden = 16_384
    }

    /// How the features of several encoders become one.
    package enum Fusion: String, Sendable, Codable, CaseIterable {
        case concat, gate
        case crossAttention = "cross-attention"
    }
}
