import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let products: [String: GoldenBuilder] = [:]
}
