import Foundation
import HidraProtocol
import Testing

@testable import hidra

@Suite("Doctor")
struct DoctorTests {
    @Test("A check is one line, and its advice another")
    func text() {
        #expect(Check.ok("home", "fine").text(style: .plain) == "ok    home          fine\n")
        #expect(
            Check.warn("home", "tight", "Make room.").text(style: .plain)
                == "warn  home          tight\n                    → Make room.\n")
    }

    @Test(
        "Too little space fails, little space warns",
        arguments: [
            (UInt64(1_000_000), Check.Outcome.fail), (500_000_000, .warn), (50_000_000_000, .ok),
        ])
    func space(free: UInt64, outcome: Check.Outcome) {
        let check = LocalChecks.space(free, of: "/x")
        #expect(check.outcome == outcome)
        #expect(check.advice.isEmpty == (outcome == .ok))
    }

    @Test("A home that does not exist yet is judged by where it will be")
    func home() {
        let check = LocalChecks.home("/tmp/hidra-none-\(UUID().uuidString)/deep")
        #expect(check.outcome != .fail)
        #expect(check.finding.contains("not there yet"))
        #expect(LocalChecks.home("/proc/hidra/x").outcome == .fail || getuid() == 0)
    }

    @Test("A socket directory that others may enter fails")
    func sockets() throws {
        let folder = "/tmp/hidra-doctor-\(UUID().uuidString.prefix(8))"
        let endpoints = Endpoints(directory: folder)
        #expect(LocalChecks.sockets(endpoints).outcome == .ok)
        #expect(mkdir(folder, 0o755) == 0)
        defer { rmdir(folder) }
        #expect(LocalChecks.sockets(endpoints).outcome == .fail)
        #expect(chmod(folder, 0o700) == 0)
        #expect(LocalChecks.sockets(endpoints).outcome == .ok)
    }

    @Test("Programs are found in PATH, in its order, and nowhere else")
    func path() {
        #expect(LocalChecks.find("sh", path: "/nowhere:/bin:/usr/bin") == "/bin/sh")
        #expect(LocalChecks.find("sh", path: "/nowhere") == nil)
        #expect(LocalChecks.python(path: "/nowhere").outcome == .warn)
    }

    @Test("Two versions at once are worth a warning, one is not worth a line")
    func version() {
        #expect(DaemonChecks.version("0.1.0", client: "0.1.0") == nil)
        #expect(DaemonChecks.version("0.1.0", client: "0.2.0")?.outcome == .warn)
    }

    @Test("A daemon that takes its time is worth a warning", arguments: [(0.002, Check.Outcome.ok), (0.5, .warn)])
    func latency(seconds: Double, outcome: Check.Outcome) {
        #expect(DaemonChecks.answers(Hidra_V1_StatusReply(), seconds: seconds).outcome == outcome)
    }

    @Test("Encoders need a whole digest, and there should be one")
    func encoders() {
        var list = Hidra_V1_ListReply()
        #expect(DaemonChecks.encoders(list).outcome == .warn)
        var encoder = Hidra_V1_Encoder()
        encoder.name = "minilm"
        encoder.digest = String(repeating: "a", count: 64)
        list.encoders = [encoder]
        #expect(DaemonChecks.encoders(list).outcome == .ok)
        list.encoders[0].digest = "abc"
        #expect(DaemonChecks.encoders(list).outcome == .fail)
    }

    @Test("Runs that ended early are pointed at")
    func runs() {
        var list = Hidra_V1_ListReply()
        #expect(DaemonChecks.runs(list) == nil)
        var run = Hidra_V1_Run()
        (run.id, run.state) = ("run-7", "interrupted")
        list.runs = [run]
        #expect(DaemonChecks.runs(list)?.advice.contains("hidra show run-7") == true)
    }

    @Test("A program's first line is read, and one that hangs is ended")
    func output() async throws {
        #expect(try await DaemonProgram.output(of: "/bin/echo", ["hidrad 1.2"]) == "hidrad 1.2")
        await #expect(throws: (any Error).self) { try await DaemonProgram.output(of: "/no/such/program", []) }
    }

    @Test("Removing an encoder names the heads that would go with it")
    func removal() {
        var list = Hidra_V1_ListReply()
        list.encoders = ["minilm", "other"].map { name in
            var encoder = Hidra_V1_Encoder()
            encoder.name = name
            return encoder
        }
        list.heads = [("bank", "minilm"), ("tone", "minilm"), ("far", "other")].map { name, encoder in
            var head = Hidra_V1_Head()
            (head.name, head.encoder) = (name, encoder)
            return head
        }
        let removal = Removal(names: ["minilm", "tone"], registered: list)
        #expect(removal.encoders == ["minilm"])
        #expect(removal.heads == ["bank"])
        #expect(removal.question == "minilm has 1 head: bank. Remove them too?")
        #expect(Removal(names: ["bank"], registered: list).heads.isEmpty)
    }
}
