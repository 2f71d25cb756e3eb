/// A plugin in Swift, on HidraPlugin.
enum SwiftScaffold {
    static let files: [(String, String)] = [
        ("plugin.yaml", manifest), ("Makefile", makefile), ("Package.swift", package), ("Sources/Plugin.swift", plugin),
        ("Sources/Examples.swift", examples), ("Tests/ExamplesTests.swift", test), ("README.md", readme),
    ]

    private static let manifest = """
        name: {{name}}
        version: 0.1.0
        description: Sorts messages to a shop.
        command: [bin/{{name}}]
        protocol: {min: 1, max: 1}
        tasks: [classify]
        role: train
        limits: {memory: 1 GB, open_files: 256, processes: 4}
        encoders: [minilm]
        heads: [{{name}}]

        """

    private static let makefile = """
        # The first build takes some minutes. `hidra plugin install` leaves out .build: what runs is bin/{{name}}.
        # One set of flags, so that tests do not build everything anew.
        FLAGS := -c release -Xswiftc -enable-testing

        .PHONY: build
        build:
        \tswift build $(FLAGS)
        \t@mkdir -p bin
        \tcp .build/release/{{name}} bin/{{name}}

        .PHONY: check
        check:
        \tswift test $(FLAGS)

        """

    private static let package = """
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "{{name}}",
            dependencies: [
                // A checkout of hidra.
                .package(path: "{{sdk}}")
            ],
            targets: [
                .executableTarget(
                    name: "{{name}}", dependencies: [.product(name: "HidraPlugin", package: "{{identity}}")], path: "Sources"),
                .testTarget(name: "{{name}}-tests", dependencies: ["{{name}}"], path: "Tests"),
            ]
        )

        """

    private static let plugin = #"""
        import Foundation
        import HidraPlugin

        /// A Hidra plugin. It trains a head on its rows if the head is not there, or with --train, and stays until told goodbye.
        @main
        struct Plugin {
            static let name = "{{name}}"
            static let encoder = "minilm"

            static func main() async {
                do {
                    let plugin = try await TaskPlugin.connect(name: name, version: "0.1.0")
                    if try await !plugin.heads().contains(name) || CommandLine.arguments.contains("--train") { try await train(plugin) }
                    say(await plugin.untilGoodbye())
                } catch {
                    say("\(name): \(error)")
                    exit(1)
                }
            }

            static func train(_ plugin: TaskPlugin) async throws {
                let rows = try await plugin.upload(Examples.read("data/examples.tsv").columns, textColumn: "text")
                let head = HeadSpecification(name: name, labelColumn: "label", replace: true)
                for trained in try await plugin.attach([head], to: rows, encoder: encoder, holdout: 0.2) {
                    say("trained \(trained.name) in \(trained.seconds.total.rounded()) s")
                }
            }

            /// For `hidra plugin logs`.
            static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
        }

        """#

    private static let examples = #"""
        import Foundation

        /// The rows to learn from: a text and its label.
        struct Examples {
            struct Problem: Error { let message: String }

            var texts: [String] = []
            var labels: [String] = []

            var columns: [(name: String, values: [String])] { [("text", texts), ("label", labels)] }

            /// Reads a file of `text TAB label` lines, the first being the columns' names.
            static func read(_ path: String) throws -> Examples {
                var examples = Examples()
                for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst() {
                    let cells = line.split(separator: "\t")
                    guard cells.count == 2 else { throw Problem(message: "\(path): '\(line)' is not a text, a tab and a label") }
                    examples.texts.append(String(cells[0]))
                    examples.labels.append(String(cells[1]))
                }
                return examples
            }
        }

        """#

    private static let test = #"""
        import Testing

        @testable import {{module}}

        @Suite("The examples")
        struct ExamplesTests {
            @Test("there is something to tell apart")
            func labels() throws {
                let examples = try Examples.read("data/examples.tsv")
                #expect(Set(examples.labels).count >= 2)
            }
        }

        """#

    private static let readme = """
        # {{name}}

        A Hidra plugin in Swift. It brings `data/examples.tsv` and trains the head `{{name}}`, which sorts messages to a shop.

            make                                      # builds bin/{{name}}; Package.swift names a checkout of hidra
            make check                                # the plugin's own tests
            hidra plugin test .                       # runs it against a daemon of its own
            hidra plugin install . && hidra plugin start {{name}} --wait
            hidra predict {{name}} "where is my parcel"

        Make it yours: put your rows into `data/examples.tsv`; the label may have any number of values. `train` in `Sources/Plugin.swift`
        says which encoder and what kind of head. After a change: `make`, `hidra plugin install . --replace`; the head is trained again when
        it is not there, so `hidra rm {{name}}` first, or add `--train` to `command` in `plugin.yaml`.

        The daemon gives the plugin its folder as working directory, and of the environment only `PATH`, `HOME`, `LANG`, `TMPDIR` and what
        names Hidra's home and the plugin. What it prints is in `hidra plugin logs {{name}}`. `limits` in `plugin.yaml` bound it.

        """
}
