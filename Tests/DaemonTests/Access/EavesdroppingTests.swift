import Foundation
import Glibc
import HidraClient
import HidraProtocol
import Synchronization
import Testing
import ZeroMQ

@testable import Daemon

@Suite("Eavesdropping", .serialized)
struct EavesdroppingTests {
    @Test("Whoever reads along the line sees neither the texts nor the labels nor the heads' names")
    func predict() async throws {
        let network = try await NetworkDaemon()
        let secret = "zebra quintessence", head = "confidential-head"
        var columns = letterRows(40)
        columns[1] = UploadColumn("label", (0..<40).map { "classified-\($0 % 4)" })
        let data = try await network.local.upload(columns: columns)
        _ = try await network.local.train(trainRequest(head, data, epochs: 1)) { _ in }

        let front = try freeAddress(), tap = try Wiretap(from: front, to: network.address)
        defer { tap.stop() }
        let client = try await HidraClient.connect(
            remote: try RemoteDaemon(server: front.control, key: try network.key(.train)), client: "spied-on", timeout: .seconds(5))
        let events = Task { for try await event in client.events(from: nil) where event.name == "head.registered" { return event.subject } ; return "" }
        try await Task.sleep(for: .milliseconds(300))
        let answer = try await client.predict(heads: [head], .texts([secret]), top: 1)
        #expect(answer.inputs[0].heads[0].labels[0].label.hasPrefix("classified-"))
        _ = try await network.local.train(trainRequest(head + "-2", data, epochs: 1)) { _ in }
        #expect(try await events.value == head + "-2")
        await client.close()

        let seen = tap.recorded
        // The tap works: it saw the greetings, which CURVE leaves in the open.
        #expect(seen.count > 2000 && Self.contains(seen, "CURVE"))
        for text in [secret, "zebra", head, "classified-", "spied-on", "daemon.", "head.registered"] {
            #expect(!Self.contains(seen, text), "\(text)")
        }
        try await network.stop()
    }

    private static func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        Data(bytes).range(of: Data(text.utf8)) != nil
    }
}

/// Passes three TCP ports on to three others, and keeps what goes by, both ways.
private final class Wiretap: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let listeners: [Int32]

    var recorded: [UInt8] { bytes.withLock { $0 } }

    init(from front: ServerAddress, to back: ServerAddress) throws {
        var listeners: [Int32] = []
        for offset in 0..<3 {
            let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard Self.with(front.port + offset, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
                throw RawPeer.Failure(message: "the wiretap cannot listen: \(errno)")
            }
            listeners.append(descriptor)
        }
        self.listeners = listeners
        for (offset, listener) in listeners.enumerated() {
            let port = back.port + offset
            try OwnedThread.start("wiretap") { [self] in
                while true {
                    let near = accept(listener, nil, nil)
                    guard near >= 0 else { return }
                    let far = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                    guard Self.with(port, { connect(far, $0, $1) }) == 0 else { return }
                    pass(near, far)
                    pass(far, near)
                }
            }
        }
    }

    private func pass(_ from: Int32, _ to: Int32) {
        do {
            try OwnedThread.start("wiretap") { [self] in
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = read(from, &buffer, buffer.count)
                    guard count > 0 else {
                        shutdown(to, Int32(SHUT_WR))
                        return
                    }
                    bytes.withLock { $0 += buffer.prefix(count) }
                    var sent = 0
                    while sent < count {
                        let more = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                        guard more > 0 else { return }
                        sent += more
                    }
                }
            }
        } catch { preconditionFailure("no thread: \(error)") }
    }

    func stop() { for listener in listeners { shutdown(listener, Int32(SHUT_RDWR)) } }

    private static func with(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
