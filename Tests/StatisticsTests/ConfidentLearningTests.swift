import Testing

@testable import Statistics

@Suite("Confident learning")
struct ConfidentLearningTests {
    /// Random probabilities of 40 rows and 4 classes, and labels of which 6 were changed (rows 0, 2, 11, 32, 36 and 38).
    static let probabilities: [Float] = [
        0.113, 0.006, 0.295, 0.587, 0.655, 0.021, 0.117, 0.208, 0.856, 0.017, 0.101, 0.027, 0.622, 0.113, 0.193, 0.073, 0.784, 0.155, 0.034, 0.027,
        0.062, 0.302, 0.11, 0.525, 0.017, 0.232, 0.029, 0.722, 0.262, 0.152, 0.506, 0.08, 0.771, 0.166, 0.04, 0.023, 0.61, 0.066, 0.107, 0.218,
        0.162, 0.67, 0.142, 0.026, 0.128, 0.686, 0.165, 0.02, 0.08, 0.186, 0.717, 0.017, 0.094, 0.513, 0.147, 0.245, 0.099, 0.629, 0.156, 0.117,
        0.537, 0.2, 0.196, 0.067, 0.175, 0.081, 0.505, 0.239, 0.174, 0.038, 0.547, 0.242, 0.683, 0.014, 0.264, 0.038, 0.64, 0.13, 0.138, 0.093,
        0.063, 0.682, 0.115, 0.14, 0.1, 0.542, 0.13, 0.229, 0.04, 0.207, 0.192, 0.561, 0.228, 0.001, 0.606, 0.165, 0.19, 0.554, 0.069, 0.186,
        0.163, 0.529, 0.219, 0.09, 0.149, 0.141, 0.664, 0.045, 0.275, 0.192, 0.518, 0.015, 0.596, 0.029, 0.089, 0.286, 0.1, 0.124, 0.601, 0.174,
        0.016, 0.273, 0.107, 0.603, 0.187, 0.023, 0.08, 0.709, 0.215, 0.031, 0.186, 0.568, 0.046, 0.797, 0.113, 0.044, 0.12, 0.515, 0.114, 0.251,
        0.064, 0.305, 0.563, 0.068, 0.117, 0.168, 0.529, 0.186, 0.087, 0.012, 0.655, 0.246, 0.01, 0.131, 0.195, 0.664, 0.146, 0.533, 0.021, 0.3,
    ]
    static let labels = [
        2, 0, 2, 0, 0, 3, 3, 2, 0, 0, 1, 2, 2, 1, 1, 0, 2, 2, 0, 0,
        1, 1, 3, 2, 1, 1, 2, 2, 0, 2, 3, 3, 1, 1, 1, 2, 0, 2, 0, 1,
    ]

    /// cleanlab 2.9.0: `get_confident_thresholds(labels, p)` and the off-diagonals of `compute_confident_joint(labels, p,
    /// return_indices_of_off_diagonals=True)`.
    @Test("thresholds and issues are those of the authors' own library")
    func cleanlab() {
        let result = ConfidentLearning(probabilities: Self.probabilities, labels: Self.labels, classes: 4)
        for (own, theirs) in zip(result.thresholds, [0.5477272727272727, 0.545, 0.49561538461538457, 0.6239999999999999]) {
            #expect(abs(own - theirs) < 1e-6)
        }
        #expect(result.issues.map(\.row).sorted() == [2, 11, 36, 38])
        #expect(result.issues.first { $0.row == 2 }?.suggested == 0 && result.issues.first { $0.row == 11 }?.suggested == 1)
        #expect(zip(result.issues, result.issues.dropFirst()).allSatisfy { $0.margin <= $1.margin })
    }

    @Test("labels that the probabilities agree with are no issues, and a class without rows is none's")
    func agreement() {
        let sure: [Float] = [0.9, 0.05, 0.05, 0.1, 0.8, 0.1, 0.7, 0.2, 0.1]
        let result = ConfidentLearning(probabilities: sure, labels: [0, 1, 0], classes: 3)
        #expect(result.issues.isEmpty && result.thresholds[2] == 1)
    }
}
