import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let attention: [String: GoldenBuilder] = [:]
}
