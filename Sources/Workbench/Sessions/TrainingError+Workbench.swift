import State
import Training

extension WorkbenchError {
    /// What a joint training says is wrong.
    init(_ error: TrainingError) {
        self.init(error.code == .stateMismatch ? .conflict : .invalidArgument, error.message, cause: error)
        details["step"] = error.step.map(String.init)
        details["tensor"] = error.tensor
    }
}
