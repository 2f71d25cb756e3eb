import Tables
import Testing

@Suite("The nearest name is suggested")
struct NearestNameTests {
    static let samples: [(name: String, candidates: [String], expected: String?)] = [
        ("lable", ["text", "label"], "label"),
        ("Label", ["text", "label"], "label"),
        ("mesage", ["massage", "message"], "message"),
        ("tetx", ["text", "test"], "text"),
        ("categry", ["text", "category"], "category"),
        ("catgeory", ["text", "category"], "category"),
        ("a", ["b"], "b"),
        ("abc", ["xyz"], nil),
        ("label", [], nil),
        ("", ["x", "long"], "x"),
        ("minilm", ["mpnet", "minilm-l6", "mini-lm"], "mini-lm"),
    ]

    @Test("A name finds the closest candidate, or none", arguments: samples)
    func nearestName(name: String, candidates: [String], expected: String?) {
        #expect(nearest(name, in: candidates) == expected)
    }
}
