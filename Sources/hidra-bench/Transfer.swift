import Foundation
import ZeroMQ

/// What it takes to send bytes to another process and back over the same kind of sockets, with no code of Hidra's in between: the part of an
/// external loss that no daemon could do without.
enum Transfer {
    /// The question of a step: an envelope and the frames that it goes with.
    struct Step {
        let there: [Int], back: [Int]

        /// A classification's: float32 outputs and int32 targets there, float32 gradients back, an envelope of some bytes each way.
        init(rows: Int, outputs: Int) {
            there = [60, rows * outputs * 4, rows * 4]
            back = [40, rows * outputs * 4]
        }
    }

    /// Microseconds of `count` round trips, in order.
    static func measure(_ step: Step, count: Int) throws -> [Double] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-transfer-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        let endpoint = "ipc://\(folder.path)/echo.sock"
        let context = try Context()
        defer { context.terminate() }
        let router = try Socket(.router, in: context)
        try router.set(.linger(.zero))
        try router.bind(endpoint)
        let peer = Process()
        peer.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        peer.arguments = ["echo", endpoint] + step.back.map { String($0) }
        try peer.run()
        defer { peer.terminate() }
        var poller = Poller()
        _ = poller.add(router)
        func next(_ poller: inout Poller) throws -> Socket.Message {
            while true {
                if let message = try router.receive() { return message }
                try poller.wait(.seconds(10))
            }
        }
        let identity = try next(&poller).frames[0], frames = step.there.map { [UInt8](repeating: 1, count: $0) }
        return try (0..<count).map { _ in
            let start = ContinuousClock.now
            _ = try router.send([identity] + frames)
            _ = try next(&poller)
            return (ContinuousClock.now - start) / .microseconds(1)
        }
    }

    /// The other process: answers each message with frames of these sizes.
    static func echo(_ endpoint: String, _ sizes: [Int]) throws {
        let context = try Context(), dealer = try Socket(.dealer, in: context)
        try dealer.set(.linger(.zero))
        try dealer.connect(endpoint)
        let answer = sizes.map { [UInt8](repeating: 2, count: $0) }
        var poller = Poller()
        _ = poller.add(dealer)
        _ = try dealer.send(answer)
        while true {
            try poller.wait(nil)
            while try dealer.receive() != nil { _ = try dealer.send(answer) }
        }
    }
}
