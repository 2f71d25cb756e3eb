import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let shapes: [String: GoldenBuilder] = [:]
}
