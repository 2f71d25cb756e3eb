import CKernels
package import TensorCore

/// What one input of a network reads of each row.
package enum FeatureColumn {
    /// One vector each, `[rows, width]`.
    case vectors(Tensor)
    /// As many hidden states as the row has tokens.
    case states(TokenStates)

    package var rows: Int {
        switch self {
        case .vectors(let values): values.shape[0]
        case .states(let states): states.rows
        }
    }
}

/// Features of a data set, one row each, for every input of a network; one input with a vector each in the simple case.
package struct FeatureTable {
    package let columns: [FeatureColumn]
    package let rows: Int

    /// One input, which reads a row of `values` `[rows, width]`.
    package init(_ values: Tensor) { self.init([.vectors(values)]) }

    /// In the order of the network's inputs; all of as many rows.
    package init(_ columns: [FeatureColumn]) {
        self.columns = columns.map { column in
            guard case .vectors(let values) = column else { return column }
            precondition(values.rank == 2, "features of shape \(values.shape)")
            return .vectors(values.contiguous())
        }
        rows = columns.first?.rows ?? 0
        precondition(columns.allSatisfy { $0.rows == columns[0].rows }, "\(columns.map(\.rows)) rows of features")
    }

    /// The vectors of a table with one input of vectors.
    package var values: Tensor {
        guard columns.count == 1, case .vectors(let values) = columns[0] else {
            preconditionFailure("a table of \(columns.count) inputs has no one vector a row")
        }
        return values
    }
    package var width: Int { values.shape[1] }

    /// Rows in the order given → `[rows.count, width]`, of a table with one input of vectors.
    package func gather(_ rows: some Collection<Int>) -> Tensor { Self.gather(rows, of: values) }

    static func gather(_ rows: some Collection<Int>, of values: Tensor) -> Tensor {
        let result = Tensor(uninitialised: [rows.count, values.shape[1]])
        let copied: Void? = rows.withContiguousStorageIfAvailable { copy($0, of: values, to: result) }
        if copied == nil { Array(rows).withUnsafeBufferPointer { copy($0, of: values, to: result) } }
        return result
    }

    private static func copy(_ rows: UnsafeBufferPointer<Int>, of values: Tensor, to result: Tensor) {
        guard let first = rows.baseAddress else { return }
        let count = rows.count, width = values.shape[1], parts = max(1, min(WorkerPool.shared.threads, count * width / 8192))
        WorkerPool.shared.parallel(parts) { part in
            let from = count * part / parts, to = count * (part + 1) / parts
            ck_gather_rows_f32(to - from, first + from, width, values.pointer, result.mutablePointer + from * width)
        }
    }

    /// Rows for a network, which gathers of each input what it needs.
    package func batch(_ rows: ArraySlice<Int>) -> FeatureBatch { FeatureBatch(table: self, rows: rows) }

    /// A table of these rows, in this order. Token states are shared, not copied.
    package func selecting(_ rows: [Int]) -> FeatureTable {
        FeatureTable(
            columns.map { column in
                switch column {
                case .vectors(let values): .vectors(Self.gather(rows, of: values))
                case .states(let states): .states(states.selecting(rows))
                }
            })
    }

    /// The first of these rows with a feature that is infinite or not a number.
    func firstBad(_ rows: ArraySlice<Int>) -> (row: Int, value: Float)? {
        for column in columns {
            switch column {
            case .vectors(let values):
                guard let bad = FiniteCheck.firstBad([Self.gather(rows, of: values)]) else { continue }
                return (rows[rows.startIndex + bad.element / values.shape[1]], bad.value)
            case .states(let states):
                for row in rows {
                    if let bad = states.withStates(row, { $0.first { !$0.isFinite } }) { return (row, bad) }
                }
            }
        }
        return nil
    }
}
