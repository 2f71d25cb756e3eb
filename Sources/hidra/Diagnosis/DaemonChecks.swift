import HidraClient
import HidraProtocol

/// What `doctor` asks a running daemon.
enum DaemonChecks {
    /// An answer slower than this means that something holds the daemon up.
    static let slowSeconds = 0.1
    private static let probes = 5

    /// Connects without starting a daemon and asks it everything.
    static func run(home: Home) async -> [Check] {
        let client: HidraClient
        do {
            client = try await HidraClient.connect(
                home: home, client: "hidra doctor \(Hidra.version)", startDaemon: false, timeout: .seconds(5))
        } catch let error as HidraError where error.code == .unavailable {
            return [.ok("daemon", "not running; it starts when a verb needs it")]
        } catch {
            return [.fail("daemon", "does not answer", Failure(error).message)]
        }
        let checks = await ask(client)
        await client.close()
        return checks
    }

    private static func ask(_ client: HidraClient) async -> [Check] {
        do {
            var latencies: [Double] = []
            var status = try await client.status()
            for _ in 0..<probes {
                let began = ContinuousClock.now
                status = try await client.status()
                latencies.append((ContinuousClock.now - began) / .seconds(1))
            }
            let median = latencies.sorted()[probes / 2]
            let list = try await client.list()
            return [
                answers(status, seconds: median), version(status.daemonVersion), compute(status), encoders(list),
                runs(list),
            ].compactMap(\.self)
        } catch {
            return [.fail("daemon", "stopped answering", Failure(error).message)]
        }
    }

    static func answers(_ status: Hidra_V1_StatusReply, seconds: Double) -> Check {
        let finding = "process \(status.processID), answers in \(Format.fixed(seconds * 1000, 1)) ms"
        guard seconds > slowSeconds else { return .ok("daemon", finding) }
        return .warn(
            "daemon", finding, "That is slow: the machine may be short of memory or very busy. See `hidra ps`.")
    }

    /// Nil when client and daemon are of the same version: nothing to tell.
    static func version(_ daemon: String, client: String = Hidra.version) -> Check? {
        guard daemon != client else { return nil }
        return .warn(
            "version", "the daemon is \(daemon), hidra is \(client)",
            "Restart the daemon: `hidra stop && hidra start`.")
    }

    static func compute(_ status: Hidra_V1_StatusReply) -> Check {
        let finding = "\(Format.count(UInt64(status.threads), "thread")), \(status.kernels) kernels"
        guard status.kernels.contains("portable") || status.kernels.contains("naive") else {
            return .ok("compute", finding)
        }
        return .warn("compute", finding, "This processor has no vector unit Hidra knows, so it works slowly.")
    }

    static func encoders(_ list: Hidra_V1_ListReply) -> Check {
        guard !list.encoders.isEmpty else {
            return .warn("encoders", "none registered", "Fetch one: `hidra pull minilm`.")
        }
        let unverified = list.encoders.filter { $0.digest.count != 64 }.map(\.name)
        guard unverified.isEmpty else {
            return .fail(
                "encoders", "\(Format.list(unverified)) without a SHA-256",
                "Fetch again: `hidra rm NAME --with-heads`, then `hidra pull NAME`.")
        }
        let heads = Format.count(UInt64(list.heads.count), "head")
        return .ok("encoders", "\(Format.list(list.encoders.map(\.name))); \(heads), each with its SHA-256")
    }

    /// Nil when no run ended early.
    static func runs(_ list: Hidra_V1_ListReply) -> Check? {
        let early = list.runs.filter { $0.state == "failed" || $0.state == "interrupted" }
        guard let last = early.max(by: { $0.started < $1.started }) else { return nil }
        return .warn(
            "runs", "\(Format.count(UInt64(early.count), "run")) failed or interrupted, the last: \(last.id)",
            "See why: `hidra show \(last.id)`.")
    }
}
