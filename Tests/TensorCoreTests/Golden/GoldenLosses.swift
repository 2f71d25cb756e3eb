import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let losses: [String: GoldenBuilder] = [:]
}
