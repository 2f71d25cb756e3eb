import Foundation
import Glibc
import HidraClient
import HidraProtocol
import SwiftProtobuf
import TestSupport
import Testing
import ZeroMQ

@testable import Daemon

/// Random and mutated envelopes, and bytes that are none, on every socket of a real `hidrad`, from this machine and over the network.
///
/// `HIDRA_FUZZ_SECONDS` makes it longer, `HIDRA_FUZZ_SEED` repeats a run.
@Suite("Fuzz", .serialized)
struct FuzzTests {
    @Test("Whatever is sent, the daemon neither crashes nor hangs nor leaks")
    func everySocket() async throws {
        let variables = ProcessInfo.processInfo.environment
        let seconds = variables["HIDRA_FUZZ_SECONDS"].flatMap(Int.init) ?? 5
        let seed = variables["HIDRA_FUZZ_SEED"].flatMap(UInt64.init) ?? .random(in: 0...(.max))
        print("fuzz: HIDRA_FUZZ_SEED=\(seed), \(seconds) s")

        let program = Golden.packageRoot.appending(path: ".build/release/hidrad")
        try #require(FileManager.default.isExecutableFile(atPath: program.path), "build the product hidrad first")
        let folder = try TemporaryFolder(), home = Home(path: folder.url.appending(path: "home").path), address = try freeAddress()
        let process = Process()
        process.executableURL = program
        process.arguments = ["--listen", address.control, "--log-level", "critical"]
        process.environment = ["HIDRA_HOME": home.path]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // Whatever happens to the test, the daemon does not stay.
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        while !Endpoints.current(home).areBound { try await Task.sleep(for: .milliseconds(5)) }
        let endpoints = Endpoints.current(home)
        let client = try await HidraClient.connect(home: home, client: "watcher", startDaemon: false)
        let key = try await client.createKey("fuzz", role: .admin)

        var fuzzer = Fuzzer(seed: seed, kinds: try MessageKinds.requests())
        let deadline = ContinuousClock.now + .seconds(seconds)
        var rounds = 0, settled: UInt64?, slowest = Duration.zero
        while ContinuousClock.now < deadline {
            let session = fuzzer.session()
            try await RawPeer.onThread {
                try session.run(local: (endpoints.control, endpoints.work, endpoints.events))
                try session.run(local: (address.control, address.work, address.events), security: key.security)
                for path in endpoints.paths { try RawPeer.write(session.garbage, to: path) }
            }
            let start = ContinuousClock.now
            let status = try await HidraClient.$deadline.withValue(start + .seconds(20)) { try await client.status() }
            slowest = max(slowest, .now - start)
            rounds += 1
            // By then everything has been loaded that will be.
            if rounds == 20 { settled = status.residentBytes }
            guard process.isRunning else { break }
        }
        #expect(process.isRunning, "hidrad ended with \(process.isRunning ? 0 : process.terminationStatus)")
        #expect(slowest < .seconds(2), "status took \(slowest)")
        // What clients had goes with them.
        let limit = ContinuousClock.now + .seconds(20)
        var status = try await client.status()
        while status.clients > 1 || !status.jobs.isEmpty, ContinuousClock.now < limit {
            try await Task.sleep(for: .milliseconds(200))
            status = try await client.status()
        }
        #expect(status.clients == 1 && status.jobs.isEmpty, "\(status.clients) clients, \(status.jobs)")
        if let settled {
            let grown = Int64(status.residentBytes) - Int64(settled)
            print("fuzz: \(rounds) rounds, \(status.residentBytes >> 20) MiB, \(grown >> 10) KiB more than after 20")
            #expect(grown < 64 << 20)
        }
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count
        #expect(descriptors < 100, "\(descriptors) descriptors")
        _ = try await client.shutdown(grace: .zero)
        await client.close()
        let patience = ContinuousClock.now + .seconds(20)
        while process.isRunning, ContinuousClock.now < patience { try await Task.sleep(for: .milliseconds(50)) }
        // Something it was asked would still not have ended.
        try #require(!process.isRunning, "it does not stop")
        #expect(process.terminationStatus == 0)
    }
}

/// Makes messages from what it was given and random numbers alone.
private struct Fuzzer {
    private var random: SplitMix
    private let corpus: [(channel: Channel, frames: [[UInt8]])]

    init(seed: UInt64, kinds: [MessageKinds.Kind]) {
        random = SplitMix(state: seed)
        corpus = kinds.compactMap { kind in
            guard let channel = kind.envelope.requestChannel, let frames = try? kind.frames(7) else { return nil }
            return (channel, frames)
        } + Self.typical()
    }

    /// What clients send: a good start for what they might.
    private static func typical() -> [(Channel, [[UInt8]])] {
        var rows = Hidra_V1_AppendRowsRequest()
        rows.data = "d"
        rows.columns = [.with { ($0.name, $0.values) = ("text", ["aa a", "bb b"]) }, .with { ($0.name, $0.values) = ("label", ["a", "b"]) }]
        var predict = Hidra_V1_PredictRequest()
        (predict.heads, predict.texts, predict.images) = (["h"], ["a text"], [Data([0xFF, 0xD8, 0xFF])])
        var embed = Hidra_V1_EmbedRequest()
        (embed.encoder, embed.texts) = ("e", ["a text"])
        var upload = Hidra_V1_UploadRequest()
        (upload.digest, upload.size, upload.content) = (String(repeating: "0a", count: 32), 40, Data([1, 2, 3]))
        var open = Hidra_V1_OpenDataRequest()
        (open.data, open.digest, open.format) = ("o", upload.digest, "csv")
        var evaluate = Hidra_V1_EvaluateRequest()
        (evaluate.head, evaluate.data, evaluate.inputColumn, evaluate.labelColumn) = ("h", "d", "text", "label")
        var cancel = Hidra_V1_CancelRequest()
        cancel.openRequestID = 7
        var revoke = Hidra_V1_RevokeKeyRequest()
        revoke.name = "nobody"
        var check = Hidra_V1_CheckGraphRequest()
        check.model = Data([0x08, 0x08, 0x3A, 0x04, 0x0A, 0x02, 0x0A, 0x00])
        let work: [Hidra_V1_Envelope.OneOf_Kind] = [
            .appendRows(rows), .train(trainRequest("h", "d", epochs: 1)), .predict(predict), .embed(embed), .upload(upload),
            .openData(open), .evaluate(evaluate), .revokeKey(revoke), .checkGraph(check),
        ]
        var described = Hidra_V1_Envelope.reply(to: 8, .runGraph(Hidra_V1_RunGraphRequest()))
        described.tensors = [.with { ($0.name, $0.type, $0.shape) = ("x", .float32, [2, 2]) }]
        let tensors = WireMessage(described, tensors: [[UInt8](repeating: 1, count: 16)])
        return ([(Channel.control, WireMessage(.reply(to: 7, .cancel(cancel)))), (.work, tensors)]
            + work.map { (Channel.work, WireMessage(.reply(to: 7, $0))) })
            .compactMap { channel, message in (try? Frames.encode(message, limit: 1 << 20)).map { (channel, $0) } }
    }

    /// What one client sends.
    struct Session: Sendable {
        var control: [[[UInt8]]] = []
        var work: [[[UInt8]]] = []
        var topics: [[UInt8]] = []
        var garbage: [UInt8] = []

        /// Says hello, sends all of it, listens for a moment and leaves.
        func run(local endpoints: (control: String, work: String, events: String), security: [Socket.Option] = []) throws {
            let context = try Context()
            defer { context.terminate() }
            try run(in: context, endpoints, security)
        }

        private func run(
            in context: Context, _ endpoints: (control: String, work: String, events: String), _ security: [Socket.Option]
        ) throws {
            let control = try Socket(.dealer, in: context), work = try Socket(.dealer, in: context)
            let events = try Socket(.subscriber, in: context)
            let identity = [6] + (0..<15).map { _ in UInt8.random(in: 0...255) }
            for option in security + [.routingID(identity), .linger(.zero), .reconnectInterval(.seconds(600))] {
                try control.set(option)
                try work.set(option)
            }
            for option in security + [.linger(.zero)] + topics.map({ .subscribe($0) }) { try events.set(option) }
            try control.connect(endpoints.control)
            try work.connect(endpoints.work)
            try events.connect(endpoints.events)
            var hello = Hidra_V1_Hello()
            (hello.protocolMin, hello.protocolMax) = (1, 1)
            let greeting = try Frames.encode(WireMessage(.reply(to: 1, .hello(hello))), limit: 1 << 20)
            var poller = Poller()
            _ = poller.add(control)
            _ = poller.add(work)
            var unsent = (control: [greeting] + self.control, work: self.work)
            let deadline = ContinuousClock.now + .milliseconds(200)
            while deadline > .now {
                while let message = unsent.control.first, try control.send(message) == .sent { unsent.control.removeFirst() }
                while let message = unsent.work.first, try work.send(message) == .sent { unsent.work.removeFirst() }
                try poller.wait(.milliseconds(10))
                while try control.receive(maximumFrames: 1000) != nil {}
                while try work.receive(maximumFrames: 1000) != nil {}
                while try events.receive(maximumFrames: 1000) != nil {}
            }
        }
    }

    mutating func session() -> Session {
        var session = Session()
        for _ in 0..<150 {
            let (channel, frames) = mutant()
            // One in ten goes astray.
            switch (channel, Int.random(in: 0..<10, using: &random)) {
            case (.control, 1...), (.work, 0): session.control.append(frames)
            default: session.work.append(frames)
            }
        }
        session.topics = (0..<20).map { _ in
            [Array("events".utf8), Array("sync/".utf8), []].randomElement(using: &random)! + random.bytes(Int.random(in: 0...80, using: &random))
        }
        // ZMTP's greeting, now and then, before what is none.
        let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
        session.garbage = (Bool.random(using: &random) ? greeting : []) + random.bytes(Int.random(in: 0...2000, using: &random))
        return session
    }

    private mutating func mutant() -> (Channel, [[UInt8]]) {
        while true {
            let (channel, original) = corpus.randomElement(using: &random)!
            var frames = original
            for _ in 0..<Int.random(in: 0...6, using: &random) { mutate(&frames) }
            if !frames.isEmpty, Self.isHarmless(frames) { return (channel, frames) }
        }
    }

    private mutating func mutate(_ frames: inout [[UInt8]]) {
        if frames.isEmpty { frames = [[]] }
        let index = Int.random(in: 0..<frames.count, using: &random), count = frames[index].count
        switch Int.random(in: 0..<9, using: &random) {
        case 0 where count > 0: frames[index][Int.random(in: 0..<count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1 where count > 0: frames[index][Int.random(in: 0..<count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        case 2 where count > 0: frames[index].removeSubrange(Int.random(in: 0..<count, using: &random)...)
        case 3:
            let place = Int.random(in: 0...count, using: &random)
            frames[index].insert(contentsOf: random.bytes(Int.random(in: 1...20, using: &random)), at: place)
        case 4: frames.append(random.bytes(Int.random(in: 0...200, using: &random)))
        case 5: frames[index] += corpus.randomElement(using: &random)!.frames[0]
        case 6: frames[index] = random.bytes(Int.random(in: 0...100, using: &random))
        case 7: frames.remove(at: index)
        default:
            // A number as large as it gets, where a length may stand.
            let place = Int.random(in: 0...count, using: &random)
            frames[index].insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], at: place)
        }
    }

    /// What would end the daemon, or have it fetch something from the internet, is left out.
    private static func isHarmless(_ frames: [[UInt8]]) -> Bool {
        guard let first = frames.first, let envelope = try? Hidra_V1_Envelope(serializedBytes: first) else { return true }
        switch envelope.kind {
        case .shutdown: return false
        case .pull(let pull): return pull.source.isEmpty
        default: return true
        }
    }
}
