package import Heads
import TensorCore
package import Training

/// A head that is trained beside others, on one core: for choices between heads, whose numbers must not depend on what runs beside them.
package final class HeadTrial {
    package let network: HeadNetwork
    package let trainer: Trainer
    /// Why it could not be trained to its end.
    package private(set) var failure: (any Error)?
    package private(set) var busy = Duration.zero

    package init(_ network: HeadNetwork, _ trainer: Trainer) {
        self.network = network
        self.trainer = trainer
    }

    package var isFinished: Bool { trainer.isFinished || failure != nil }
    /// Of the validation rows; the lowest there is when training failed.
    package var score: Double { failure == nil ? trainer.bestScore : -.infinity }
    package var seconds: Double { busy / .seconds(1) }

    package func advance(until deadline: ContinuousClock.Instant) {
        let start = ContinuousClock.now
        do {
            while !trainer.isFinished, ContinuousClock.now < deadline { try trainer.advance() }
        } catch {
            failure = error
        }
        busy += ContinuousClock.now - start
    }
}

/// Trains several heads, each on a core of its own, in slices of some milliseconds. A small head's step is too short to be shared.
package final class TrialLanes {
    private let make: (Int) throws -> HeadTrial
    private let finish: (Int, HeadTrial) throws -> Void
    private let count: Int
    private var next = 0
    private var lanes: [(index: Int, trial: HeadTrial)] = []

    static let slice = Duration.milliseconds(8)

    /// - Parameters:
    ///   - make: builds the trial of a number.
    ///   - finish: takes it when it is over, in no certain order.
    package init(_ count: Int, make: @escaping (Int) throws -> HeadTrial, finish: @escaping (Int, HeadTrial) throws -> Void) {
        self.count = count
        self.make = make
        self.finish = finish
    }

    package var isFinished: Bool { next == count && lanes.isEmpty }

    /// A slice of as many trials as there are cores.
    package func step() throws {
        while lanes.count < WorkerPool.shared.threads, next < count {
            lanes.append((next, try make(next)))
            next += 1
        }
        let deadline = ContinuousClock.now + Self.slice, running = lanes
        WorkerPool.shared.parallel(running.count) { running[$0].trial.advance(until: deadline) }
        for lane in running where lane.trial.isFinished { try finish(lane.index, lane.trial) }
        lanes.removeAll { $0.trial.isFinished }
    }
}
