import Foundation
import Testing

@testable import Hub

@Suite("Pull source")
struct PullSourceTests {
    @Test(
        "A source is read from what a user writes",
        arguments: [
            ("minilm", PullSource.catalogue("minilm")),
            (" MiniLM\n", .catalogue("minilm")),
            ("hf:org/name", .hub(HubRepository(organisation: "org", name: "name", revision: "main"))),
            ("hf:a-b/c.d_e@v1.0", .hub(HubRepository(organisation: "a-b", name: "c.d_e", revision: "v1.0"))),
            ("hf:org/name@refs/pr/3", .hub(HubRepository(organisation: "org", name: "name", revision: "refs/pr/3"))),
            ("/models/a b", .folder(URL(fileURLWithPath: "/models/a b"))),
            ("./minilm", .folder(URL(fileURLWithPath: "/base/minilm"))),
            ("../other/x", .folder(URL(fileURLWithPath: "/other/x"))),
            (".", .folder(URL(fileURLWithPath: "/base"))),
        ])
    func reads(text: String, expected: PullSource) throws {
        let base = URL(fileURLWithPath: "/base", isDirectory: true)
        let source = try PullSource(parsing: text, relativeTo: base)
        if case (.folder(let url), .folder(let wanted)) = (source, expected) {
            #expect(url.path == wanted.path)
        } else {
            #expect(source == expected)
        }
    }

    @Test("A folder in the home folder is found without a shell")
    func expandsTilde() throws {
        guard case .folder(let url) = try PullSource(parsing: "~/models") else {
            Issue.record("not a folder")
            return
        }
        #expect(url.path == NSHomeDirectory() + "/models")
    }

    @Test(
        "A malformed repository is refused with the form it should have",
        arguments: [
            "hf:", "hf:name", "hf:org/", "hf:/name", "hf:org/name/more", "hf:org/na me", "hf:org/..", "hf:org/a--b",
            "hf:-org/name", "hf:org/name@", "hf:org/name@a b", "hf:org/name@../../x", "hf:org/name@x^y",
            "hf:o\u{301}rg/name", "hf:\(String(repeating: "a", count: 97))/name",
        ])
    func refusesRepository(text: String) {
        #expect {
            try PullSource(parsing: text)
        } throws: { error in
            let error = error as? HubError
            return error?.code == .invalidArgument && error?.message.contains("hf:ORG/NAME[@REVISION]") == true
        }
    }

    @Test("An empty source is refused", arguments: ["", "  \n", "mini\0lm"])
    func refusesEmpty(text: String) {
        #expect(throws: HubError.self) { try PullSource(parsing: text) }
    }

    @Test("A mistyped name is answered with the nearest one", arguments: ["minilmm", "mnilm", "MINI-LM", "minlim"])
    func suggestsNearest(text: String) {
        #expect {
            try PullSource(parsing: text)
        } throws: { error in
            let error = error as? HubError
            return error?.code == .notFound && error?.message.contains("Did you mean 'minilm'?") == true
        }
    }

    @Test("A name that resembles nothing is answered with all there are")
    func listsAll() {
        #expect {
            try PullSource(parsing: "resnet")
        } throws: { error in
            (error as? HubError)?.message.contains("There are: minilm.") == true
        }
    }

    @Test(
        "Edits are counted, a swap as one",
        arguments: [
            ("", "", 0), ("a", "", 1), ("minilm", "minilm", 0), ("minlim", "minilm", 1), ("kitten", "sitting", 3),
        ])
    func countsEdits(left: String, right: String, expected: Int) {
        #expect(NearestName.edits(left, right) == expected)
        #expect(NearestName.edits(right, left) == expected)
    }

    @Test("Every catalogue entry names the files an encoder needs, with sound digests and a source")
    func catalogueIsComplete() throws {
        for entry in Catalogue.builtIn.entries {
            let paths = Set(entry.files.map(\.path))
            #expect(try EncoderFiles.choose(from: paths, source: entry.name).weights == .single("model.safetensors"))
            #expect(paths.count == entry.files.count)
            #expect(entry.files.allSatisfy { $0.sha256.isHexadecimal(64) && $0.size > 0 })
            #expect(!entry.sources.isEmpty && !entry.licence.isEmpty)
            #expect(entry.name == FolderSource.name(entry.name))
        }
        #expect(try Catalogue.builtIn.entry("minilm").size == 91_336_405)
    }
}
