/// Where a long piece of work stands.
package struct JobProgress: Sendable, Equatable {
    package enum Phase: String, Sendable {
        case queued, loading = "loading encoder", extracting = "extracting features", training, evaluating, saving, predicting
        case decoding = "decoding images", searching = "trying settings", tuning = "tuning encoder", clustering
    }

    package var phase: Phase
    package var done = 0
    /// 0 while unknown.
    package var total = 0
    package var unit = "rows"
    package var metrics: [String: Double] = [:]
    /// A finding the user should read.
    package var note = ""

    package init(
        _ phase: Phase, done: Int = 0, total: Int = 0, unit: String = "rows", metrics: [String: Double] = [:],
        note: String = ""
    ) {
        self.phase = phase
        self.done = done
        self.total = total
        self.unit = unit
        self.metrics = metrics
        self.note = note
    }
}

package typealias ProgressHandler = @Sendable (JobProgress) -> Void
