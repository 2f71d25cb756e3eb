package import TensorCore

/// Some rows of a feature table. A network gathers of each input what it needs, in the form it needs.
package struct FeatureBatch {
    private let table: FeatureTable
    private let rows: ArraySlice<Int>

    init(table: FeatureTable, rows: ArraySlice<Int>) {
        self.table = table
        self.rows = rows
    }

    package var count: Int { rows.count }
    package var columns: Int { table.columns.count }

    /// Vectors `[rows, width]` of an input that reads vectors.
    package func vectors(_ column: Int = 0) -> Tensor {
        guard case .vectors(let values) = table.columns[column] else {
            preconditionFailure("input \(column) reads token states")
        }
        return FeatureTable.gather(rows, of: values)
    }

    /// Tokens of each row, of an input that reads states.
    package func lengths(_ column: Int) -> [Int] {
        let states = states(column)
        return rows.map { states.places[$0].tokens }
    }

    /// States `[rows, longest, width]` of an input that reads them: each row's own, then zeros.
    package func padded(_ column: Int) -> Tensor {
        let states = states(column), width = states.width, lengths = lengths(column)
        let longest = lengths.max() ?? 0
        let result = Tensor(uninitialised: [rows.count, longest, width])
        let output = result.mutablePointer, first = rows.startIndex
        let parts = max(1, min(WorkerPool.shared.threads, result.count / 8192))
        WorkerPool.shared.parallel(parts) { part in
            for position in rows.count * part / parts..<rows.count * (part + 1) / parts {
                let target = output + position * longest * width, own = lengths[position] * width
                states.withStates(rows[first + position]) { source in
                    if let base = source.baseAddress { target.update(from: base, count: own) }
                }
                (target + own).update(repeating: 0, count: longest * width - own)
            }
        }
        return result
    }

    /// States of all rows laid end to end, `[tokens of all rows, width]`, of an input that reads them.
    package func packed(_ column: Int) -> Tensor {
        let states = states(column), width = states.width
        let result = Tensor(uninitialised: [lengths(column).reduce(0, +), width])
        var target = result.mutablePointer
        for row in rows {
            states.withStates(row) { source in
                if let base = source.baseAddress { target.update(from: base, count: source.count) }
                target += source.count
            }
        }
        return result
    }

    /// The rows at these positions of the batch.
    package func selecting(_ positions: [Int]) -> FeatureBatch {
        FeatureBatch(table: table, rows: positions.map { rows[rows.startIndex + $0] }[...])
    }

    private func states(_ column: Int) -> TokenStates {
        guard case .states(let states) = table.columns[column] else {
            preconditionFailure("input \(column) reads vectors")
        }
        return states
    }
}
