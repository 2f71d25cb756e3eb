import Testing

@testable import State

@Suite("Names")
struct NameTests {
    @Test(
        "Letters, digits, dots, dashes and underscores make a name",
        arguments: [
            "a", "minilm", "MiniLM-L6-v2", "0", "a.b_c-d", String(repeating: "x", count: 64),
        ])
    func valid(name: String) throws {
        try BundleName.validate(name)
    }

    @Test(
        "Anything that is no folder name or command-line word is refused",
        arguments: [
            "", ".", "..", ".hidden", "-rf", "_x", "a/b", "../x", "a b", "a\nb", "naïve", "x\0", "a,b",
            String(repeating: "x", count: 65),
        ])
    func invalid(name: String) async throws {
        let error = try await workbenchError { try BundleName.validate(name) }
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("letters"))
    }

    @Test(
        "The distance counts insertions, deletions, substitutions and swaps",
        arguments: [
            ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3),
            ("intent", "intnet", 1), ("bank", "bnak", 1), ("ca", "abc", 3), ("a", "b", 1),
        ])
    func distance(a: String, b: String, expected: Int) {
        #expect(NameSuggestion.distance(Array(a), Array(b)) == expected)
        #expect(NameSuggestion.distance(Array(b), Array(a)) == expected)
    }

    @Test(
        "A mistyped name suggests the nearest one, a different name suggests none",
        arguments: [
            ("minlm", "minilm"), ("MINILM", "minilm"), ("inten", "intent"), ("intnet", "intent"), ("urg", "urgency"),
            ("urgencies", "urgency"), ("banking", "bank"), ("zebra", nil), ("x", nil), ("tone", nil),
        ])
    func suggestion(typed: String, expected: String?) {
        #expect(
            NameSuggestion.nearest(to: typed, among: ["minilm", "intent", "urgency", "bank", "bge-small"]) == expected)
    }
}
