import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let reductions: [String: GoldenBuilder] = [:]
}
