import Testing

@testable import hidra

@Suite("Numbers as people read them")
struct FormatTests {
    @Test(
        "Fixed decimals are rounded, padded and keep their sign",
        arguments: [
            (0.93117, 4, "0.9312"), (12, 1, "12.0"), (-0.25, 1, "-0.3"), (-0.001, 2, "0.00"), (0.005, 0, "0"),
            (1e20, 2, "1e+20"),
            (.nan, 2, "–"), (.infinity, 1, "–"),
        ])
    func fixed(value: Double, decimals: Int, expected: String) {
        #expect(Format.fixed(value, decimals) == expected)
    }

    @Test(
        "Counts are grouped by thousands",
        arguments: [
            (UInt64(0), "0"), (999, "999"), (1000, "1,000"), (10_003, "10,003"), (1_234_567, "1,234,567"),
            (.max, "18,446,744,073,709,551,615"),
        ])
    func count(value: UInt64, expected: String) {
        #expect(Format.count(value) == expected)
    }

    @Test("A noun follows its number")
    func nouns() {
        #expect(Format.count(1, "row") == "1 row")
        #expect(Format.count(2, "row") == "2 rows")
        #expect(Format.count(1, "text was", plural: "texts were") == "1 text was")
        #expect(Format.count(0, "text was", plural: "texts were") == "0 texts were")
    }

    @Test(
        "Bytes are told in the unit that leaves one to three digits",
        arguments: [
            (UInt64(0), "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_999, "1.0 MB"),
            (90_868_376, "90.9 MB"), (2_000_000_000, "2.0 GB"), (.max, "18446744.1 TB"),
        ])
    func bytes(value: UInt64, expected: String) {
        #expect(Format.bytes(value) == expected)
    }

    @Test(
        "Durations get coarser as they get longer",
        arguments: [
            (0.008, "8 ms"), (0.84, "0.84 s"), (9.96, "10.0 s"), (25.12, "25.1 s"), (59.96, "1 min 0 s"),
            (192, "3 min 12 s"),
            (3840, "1 h 04 min"), (-1, "–"), (.infinity, "–"),
        ])
    func duration(seconds: Double, expected: String) {
        #expect(Format.duration(seconds) == expected)
    }

    @Test(
        "The time left reads like a clock",
        arguments: [
            (0.2, "0:01"), (7, "0:07"), (760, "12:40"), (3723, "1:02:03"), (.infinity, "–:––"), (-3, "–:––"),
        ])
    func clock(seconds: Double, expected: String) {
        #expect(Format.clock(seconds) == expected)
    }

    @Test(
        "Ages name the largest unit that fits",
        arguments: [
            (3.0, "just now"), (60, "1 min ago"), (3599, "1 h ago"), (7200, "2 h ago"), (86_400, "1 day ago"),
            (400_000, "4 days ago"),
        ])
    func age(seconds: Double, expected: String) {
        #expect(Format.age(seconds) == expected)
    }

    @Test(
        "Metrics keep three to four digits whatever their size",
        arguments: [
            (0.93117, "0.9312"), (12.345, "12.35"), (12_345, "12345"), (0.0001234, "1.23e-4"), (0, "0.0000"),
            (-0.5, "-0.5000"),
        ])
    func metric(value: Double, expected: String) {
        #expect(Format.metric(value) == expected)
    }

    @Test(
        "Scientific notation drops zeros it does not need",
        arguments: [
            (0.0005, "5e-4"), (0.00312, "3.12e-3"), (100, "1e2"), (-0.0105, "-1.05e-2"), (0, "0"),
        ])
    func scientific(value: Double, expected: String) {
        #expect(Format.scientific(value) == expected)
    }

    @Test("Dates are in UTC and do not depend on the machine")
    func date() {
        #expect(Format.date(1_763_000_000) == "2025-11-13 02:13:20Z")
        #expect(Format.time(1_763_000_000) == "02:13:20")
        #expect(Format.date(.nan) == "–")
    }

    @Test("Lists end in \"and\"")
    func list() {
        #expect(Format.list([]) == "")
        #expect(Format.list(["a"]) == "a")
        #expect(Format.list(["a", "b", "c"]) == "a, b and c")
    }

    @Test(
        "Words for the shell mean exactly themselves",
        arguments: [
            ("plain-name", "plain-name"), ("two words", "\"two words\""), ("so $5!", "'so $5!'"),
            ("it's $5", "'it'\\''s $5'"),
            ("", "\"\""),
        ])
    func shell(text: String, expected: String) {
        #expect(Shell.quoteIfNeeded(text) == expected)
    }
}
