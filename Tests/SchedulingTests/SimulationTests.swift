import Scheduling
import TestSupport
import Testing

@Suite("A simulated engine")
struct SimulationTests {
    private func accounts(_ trace: String) throws -> [String: Simulation.AccountSummary] {
        Dictionary(uniqueKeysWithValues: Simulation(try Simulation.Job.trace(trace)).accounts.map { ($0.account.name, $0) })
    }

    @Test("two accounts share it equally, however many jobs each brings")
    func equal() throws {
        let crowd = (0..<20).map { _ in "0 crowd training 100 0.01" }.joined(separator: "\n")
        let result = try accounts("0 single training 1000 0.01\n" + crowd)
        let single = try #require(result["single"]), many = try #require(result["crowd"])
        // The single one is done after twice its own time, half of it the crowd's.
        #expect(abs(single.shareWhileActive - 0.5) < 0.01, "\(single.shareWhileActive)")
        #expect(abs(many.seconds - 20) < 1e-6)
    }

    @Test("shares of three to one become seconds of three to one")
    func weighted() throws {
        let result = try accounts("0 heavy training 3000 0.01 3\n0 light training 3000 0.01 1")
        #expect(abs(try #require(result["heavy"]).shareWhileActive - 0.75) < 0.01)
    }

    @Test("units of different lengths change nothing about shares")
    func lengths() throws {
        let result = try accounts("0 long training 100 0.1\n0 short training 10000 0.001")
        #expect(abs(try #require(result["long"]).shareWhileActive - 0.5) < 0.02)
    }

    @Test("a prediction waits for the unit in progress, not for what trains")
    func interactive() throws {
        let asks = (1...50).map { "\(Double($0) * 0.37) asks interactive 1 0.004" }.joined(separator: "\n")
        let result = try accounts("0 first training 1000 0.02\n0 second training 1000 0.02\n" + asks)
        #expect(try #require(result["asks"]).longestWait <= 0.02 + 1e-9)
    }

    @Test("who was idle gets its share from then on, and not what it did not use")
    func idle() throws {
        let result = try accounts("0 busy training 2000 0.01\n10 late training 500 0.01")
        let late = try #require(result["late"])
        #expect(abs(late.shareWhileActive - 0.5) < 0.01, "\(late.shareWhileActive)")
        #expect(late.longestWait <= 0.01 + 1e-9)
    }

    @Test("a deadline that fair shares would miss is kept, to within the unit that is in progress")
    func deadline() throws {
        let others = "0 other training 2000 0.01\n0 third training 2000 0.01\n"
        let without = Simulation(try Simulation.Job.trace(others + "0 due training 500 0.01"))
        #expect(try #require(without.outcomes.first { $0.job.account.name == "due" }).done > 10)
        let with = Simulation(try Simulation.Job.trace(others + "0 due training 500 0.01 1 10"))
        #expect(try #require(with.outcomes.first { $0.job.account.name == "due" }).done <= 10.01 + 1e-9)
    }

    @Test("a trace that says nothing it understands is refused with its line", arguments: ["0 a training", "0 a later 1 1", "x a bulk 1 1", "0 a bulk 0 1", "0 a bulk 1 -1"])
    func refused(_ line: String) throws {
        let error = try #require(throws: TraceError.self) { try Simulation.Job.trace("# a comment\n" + line) }
        #expect(error.line == 2)
    }
}
