@testable import TensorCore

extension Probes {
    static let convolution: [String: @Sendable () -> [Probe]] = [:]
}
