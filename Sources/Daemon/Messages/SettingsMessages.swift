import Encoders
import FewLabels
import Heads
import HidraProtocol
import Workbench

extension Hidra_V1_Search {
    var requested: Int { configurations == 0 ? Self.standard : Int(configurations) }
    private static let standard = 30
}

extension Hidra_V1_SelfTraining {
    func requested(_ columns: [[EncoderInput]]) -> SelfTrainingRequest {
        SelfTrainingRequest(
            columns: columns, confidence: confidence == 0 ? SelfTrainingRequest.defaultConfidence : confidence,
            rounds: rounds == 0 ? SelfTrainingRequest.defaultRounds : Int(rounds))
    }
}

extension Hidra_V1_Contrastive {
    func requested(head: String) -> ContrastiveRequest {
        var request = ContrastiveRequest(encoder: encoder.isEmpty ? "\(head)-encoder" : encoder)
        if layers > 0 { request.layers = Int(layers) }
        if iterations > 0 { request.iterations = Int(iterations) }
        if batchSize > 0 { request.batchSize = Int(batchSize) }
        if epochs > 0 { request.epochs = Int(epochs) }
        if learningRate != 0 { request.learningRate = learningRate }
        return request
    }
}

extension Hidra_V1_Trial {
    init(_ trial: HeadSearch.Trial, number: Int) {
        self.init()
        self.number = UInt32(clamping: number)
        let configuration = trial.configuration
        kind = configuration.kind.name
        switch configuration.kind {
        case .linear, .graph: break
        case .mlp(let hidden, let dropout), .tagger(let hidden, let dropout), .fusion(_, let hidden, let dropout):
            self.hidden = UInt32(clamping: hidden)
            self.dropout = dropout
        }
        learningRate = trial.learningRate
        batchSize = UInt32(clamping: configuration.batchSize)
        weightDecay = configuration.weightDecay
        labelSmoothing = configuration.labelSmoothing
        epochs = UInt32(clamping: trial.epochs)
        bestEpoch = UInt32(clamping: trial.bestEpoch)
        score = trial.score
        rounds = UInt32(clamping: trial.rounds)
        seconds = trial.seconds
        chosen = trial.isChosen
    }
}

extension Hidra_V1_SelfTrainingRound {
    init(_ round: SelfTrainingRound) {
        self.init()
        number = UInt32(clamping: round.number)
        taken = UInt64(round.taken)
        validationScore = round.validationScore
        if let accuracy = round.testAccuracy { testAccuracy = accuracy }
        kept = round.isKept
    }
}

extension Hidra_V1_Calibration {
    init(_ calibration: Calibration) {
        self.init()
        temperature = calibration.temperature
        thresholds = calibration.thresholds ?? []
        errorBefore = calibration.errorBefore
        errorAfter = calibration.errorAfter
        rows = UInt64(calibration.rows)
    }
}
