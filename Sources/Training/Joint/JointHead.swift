/// Rows that heads learn from; heads that name the same data set share each row's features.
package struct JointDataset {
    package enum Features {
        /// Frozen features, from the cache.
        case table(FeatureTable)
        /// So many rows whose features the trainable body computes in each step; it knows them by the data set's place.
        case body(rows: Int)
    }

    package let name: String
    package let features: Features

    package init(_ name: String, _ features: Features) {
        self.name = name
        self.features = features
    }

    package var rows: Int {
        switch features {
        case .table(let table): table.rows
        case .body(let rows): rows
        }
    }

    var isOfBody: Bool {
        if case .body = features { true } else { false }
    }
}

/// One head of a joint training.
package struct JointHead {
    package let name: String
    package let network: any Network
    /// Its data set's place.
    package let dataset: Int
    package let targets: Targets
    package var objective: Objective
    /// Its share of the joint loss before anything balances it.
    package var weight: Double
    /// Somebody else computes its loss: `beginStep`, `endStep`.
    package var hasExternalLoss: Bool
    /// Somebody else measures its validation rows: `validationOutputs`, `finishEpoch`.
    package var hasExternalScore: Bool

    package init(
        _ name: String, _ network: any Network, dataset: Int, targets: Targets, objective: Objective = Objective(),
        weight: Double = 1, hasExternalLoss: Bool = false, hasExternalScore: Bool = false
    ) {
        self.name = name
        self.network = network
        self.dataset = dataset
        self.targets = targets
        self.objective = objective
        self.weight = weight
        self.hasExternalLoss = hasExternalLoss
        self.hasExternalScore = hasExternalScore
    }
}

/// Some rows of one data set.
package struct JointRows: Equatable {
    package let dataset: Int
    package var rows: [Int]

    package init(dataset: Int, rows: [Int]) {
        self.dataset = dataset
        self.rows = rows
    }
}
