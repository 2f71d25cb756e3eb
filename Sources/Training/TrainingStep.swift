/// How a trainer makes its steps: by the tape (`TapeStep`), or for what it covers by one fused piece of work (`LinearStep`).
protocol TrainingStep: AnyObject {
    /// One optimiser step on rows of the table. Returns their mean loss.
    ///
    /// - Parameters:
    ///   - rows: of the table, at most `batchSize · accumulation` of them.
    ///   - step: the step's number from 0, which the dropout of its batches is drawn by.
    /// - Throws: `Divergence` when something is infinite or not a number; the parameters are as before the step then.
    func take(_ rows: ArraySlice<Int>, step: Int, learningRate: Float) throws -> Float

    /// What the next steps depend on besides the parameters.
    var optimiserState: OptimiserState { get }
    /// - Throws: `TrainingError.stateMismatch`; nothing has changed then.
    func restore(_ state: OptimiserState) throws
}

/// What was infinite or not a number in a step.
enum Divergence: Error {
    case loss(Float, of: ArraySlice<Int>)
    case gradient(parameter: Int, element: Int, value: Float)
}
