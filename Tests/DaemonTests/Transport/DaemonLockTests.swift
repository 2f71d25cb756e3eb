import Daemon
import Foundation
import HidraProtocol
import Testing

@Suite("The daemon's lock on its home")
struct DaemonLockTests {
    @Test("A second daemon of one home is refused and told the first one's process id")
    func secondDaemon() throws {
        let home = TemporaryHome()
        let lock = try DaemonLock.acquire(home.home)
        let error = #expect(throws: TransportError.self) { try DaemonLock.acquire(home.home) }
        #expect(error?.code == .alreadyRunning)
        #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        #expect(error?.message.contains("hidra stop") == true)
        withExtendedLifetime(lock) {}
    }

    @Test("A lock file that a dead daemon left means nothing")
    func staleFile() throws {
        let home = TemporaryHome()
        try FileManager.default.createDirectory(atPath: home.home.path, withIntermediateDirectories: true)
        try Data("999999\n/tmp/hidra-gone\n".utf8).write(to: URL(fileURLWithPath: home.home.lockPath))
        let lock = try DaemonLock.acquire(home.home)
        let record = try #require(DaemonRecord.read(home.home))
        #expect(record.processID == ProcessInfo.processInfo.processIdentifier)
        #expect(record.socketDirectory == lock.endpoints.directory)
    }

    @Test("The lock is free again when its object is gone")
    func released() throws {
        let home = TemporaryHome()
        do { _ = try DaemonLock.acquire(home.home) }
        _ = try DaemonLock.acquire(home.home)
    }

    @Test("Different homes have daemons of their own")
    func twoHomes() throws {
        let homes = [TemporaryHome(), TemporaryHome()]
        let locks = try homes.map { try DaemonLock.acquire($0.home) }
        #expect(Set(locks.map(\.endpoints.directory)).count == 2)
    }

    @Test("A home that cannot be made is an error that names it")
    func impossibleHome() {
        let error = #expect(throws: TransportError.self) {
            try DaemonLock.acquire(Home(path: "/proc/hidra/home"))
        }
        #expect(error?.message.contains("/proc/hidra") == true)
        #expect(error?.message.contains("HIDRA_HOME") == true)
    }
}
