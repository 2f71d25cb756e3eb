import PluginHost
import Testing

private typealias Instant = ContinuousClock.Instant

@Suite("The life of a plugin")
struct PluginLifeTests {
    private let zero = Instant.now
    private var timing: PluginLife.Timing {
        var timing = PluginLife.Timing()
        (timing.hello, timing.goodbye, timing.terminate) = (.seconds(30), .seconds(3), .seconds(4))
        (timing.firstBackOff, timing.longestBackOff, timing.restarts) = (.seconds(1), .seconds(5), 4)
        (timing.window, timing.steady) = (.seconds(1000), .seconds(60))
        return timing
    }

    private func running() -> PluginLife {
        var life = PluginLife(timing: timing)
        #expect(life.start(zero) == [.spawn])
        #expect(life.greeted(zero) == [.report(.started)])
        return life
    }

    @Test("starts, says hello, and is running")
    func starts() {
        var life = PluginLife(timing: timing)
        #expect(life.phase == .stopped && !life.isWanted)
        #expect(life.start(zero) == [.spawn])
        #expect(life.phase == .starting && life.deadline == zero + .seconds(30))
        #expect(life.greeted(zero) == [.report(.started)])
        #expect(life.phase == .running && life.deadline == nil)
        #expect(life.greeted(zero) == [] && life.start(zero) == [])
    }

    @Test("is told goodbye, then SIGTERM, then SIGKILL, each after its grace")
    func teardown() {
        var life = running()
        #expect(life.stop(zero, "enough") == [.sayGoodbye("enough")])
        #expect(life.tick(zero + .seconds(2.9)) == [])
        #expect(life.tick(zero + .seconds(3)) == [.terminate])
        #expect(life.tick(zero + .seconds(6.9)) == [])
        #expect(life.tick(zero + .seconds(7)) == [.kill])
        #expect(life.tick(zero + .seconds(99)) == [])
        #expect(life.exited(status: -9, "killed", zero + .seconds(99)) == [.report(.stopped)])
        #expect(life.phase == .stopped)
    }

    @Test("one that has not said hello is not told goodbye")
    func stopsEarly() {
        var life = PluginLife(timing: timing)
        _ = life.start(zero)
        #expect(life.stop(zero, "enough") == [.terminate])
        #expect(life.exited(status: -15, "ended", zero) == [.report(.stopped)])
    }

    @Test("crashes are followed by restarts, each later than the one before, and in the end by none")
    func backOff() {
        var life = running()
        var now = zero
        for delay in [1, 2, 4, 5] {
            #expect(life.exited(status: 1, "status 1", now) == [.report(.restarting(why: "status 1", after: .seconds(delay)))])
            #expect(life.phase == .waiting && life.isWanted)
            #expect(life.tick(now + .seconds(delay) - .milliseconds(1)) == [])
            now += .seconds(delay)
            #expect(life.tick(now) == [.spawn])
            _ = life.greeted(now)
        }
        #expect(life.restarts == 4)
        #expect(life.exited(status: 1, "status 1", now) == [.report(.failed(why: "status 1"))])
        #expect(life.phase == .failed && !life.isWanted && life.problem == "status 1")
        #expect(life.tick(now + .seconds(999)) == [])
        #expect(life.start(now) == [.spawn] && life.restarts == 0)
    }

    @Test("a plugin that was well for a while is restarted quickly again; old restarts are forgotten")
    func recovers() {
        var life = running()
        var now = zero
        for _ in 0..<20 {
            now += .seconds(300)
            #expect(life.exited(status: 1, "status 1", now) == [.report(.restarting(why: "status 1", after: .seconds(1)))])
            _ = life.tick(now + .seconds(1))
            _ = life.greeted(now + .seconds(1))
        }
        #expect(life.phase == .running)
    }

    @Test("one that says no hello in time is killed and started again")
    func hello() {
        var life = PluginLife(timing: timing)
        _ = life.start(zero)
        #expect(life.tick(zero + .seconds(29)) == [])
        #expect(life.tick(zero + .seconds(30)) == [.kill])
        #expect(life.phase == .stopping && life.isWanted)
        let why = "it did not say hello within 30 s"
        #expect(life.exited(status: -9, "killed", zero + .seconds(30)) == [.report(.restarting(why: why, after: .seconds(1)))])
    }

    @Test("one that ends with status 0 after its hello is done; before it, it has crashed")
    func done() {
        var life = running()
        #expect(life.exited(status: 0, "status 0", zero) == [.report(.stopped)])
        #expect(life.phase == .stopped)
        _ = life.start(zero)
        let why = "status 0 before it had said hello"
        #expect(life.exited(status: 0, "status 0", zero) == [.report(.restarting(why: why, after: .seconds(1)))])
    }

    @Test("start and stop meet: the last wish counts")
    func wishes() {
        var life = running()
        _ = life.stop(zero, "enough")
        #expect(life.start(zero) == [] && life.isWanted)
        #expect(life.exited(status: 0, "status 0", zero) == [.spawn])
        _ = life.restart(zero)
        #expect(life.stop(zero, "enough") == [])
        #expect(life.exited(status: 0, "status 0", zero) == [.report(.stopped)])
    }

    @Test("a stop ends the waiting for a restart; a program that cannot be run is not tried again")
    func ends() {
        var life = running()
        _ = life.exited(status: 1, "status 1", zero)
        #expect(life.stop(zero, "enough") == [.report(.stopped)] && life.deadline == nil)
        _ = life.start(zero)
        #expect(life.spawnFailed("no such program") == [.report(.failed(why: "no such program"))])
        #expect(life.stop(zero, "enough") == [.report(.stopped)] && life.phase == .stopped)
    }
}
