import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let normalisation: [String: GoldenBuilder] = [:]
}
