extension FeatureCache {
    /// Finds the hidden states of many inputs at once.
    ///
    /// - parameter digests: One for each input; the same one may come twice.
    /// - parameter width: Floats of a token's state. A row that is not `tokens` of them is damaged: a miss, and deleted.
    /// - returns: For each digest what is known of it, nil for a miss, and where its states start in `values`: `info.tokens` times
    ///   `width` floats.
    package func lookupStates(
        _ space: FeatureSpace, _ digests: [InputDigest], width: Int
    ) throws -> (infos: [FeatureInfo?], starts: [Int], values: [Float]) {
        var values: [Float] = [], starts = [Int](repeating: 0, count: digests.count)
        let infos = try lookup(space, digests) { index, tokens, bytes in
            let (floats, overflows) = tokens.multipliedReportingOverflow(by: width)
            guard !overflows, floats > 0, bytes.count / MemoryLayout<Float>.stride == floats,
                bytes.count % MemoryLayout<Float>.stride == 0
            else { return false }
            starts[index] = values.count
            values.append(contentsOf: repeatElement(0, count: floats))
            values.withUnsafeMutableBytes {
                $0[(starts[index] * MemoryLayout<Float>.stride)...].copyBytes(from: bytes)
            }
            return true
        }
        return (infos, starts, values)
    }

    /// Stores the hidden states of many inputs, as `insert` stores vectors.
    ///
    /// - parameter infos: One for each digest; `tokens` says how many states the input has, at least one.
    /// - parameter states: `[tokens of all inputs, width]`, in the inputs' order.
    package func insertStates(
        _ space: FeatureSpace, _ digests: [InputDigest], infos: [FeatureInfo], width: Int,
        states: UnsafeBufferPointer<Float>
    ) throws {
        let runs = FeatureRuns(tokens: infos.map(\.tokens), width: width)
        precondition(
            infos.count == digests.count && states.count >= runs.floats && width > 0
                && infos.allSatisfy { $0.tokens > 0 },
            "insertStates: \(digests.count) digests, \(infos.count) infos, \(states.count) floats for \(runs.floats)")
        try insert(space, digests, infos, states, runs)
    }
}
