import Foundation
import Synchronization

struct HTTPRequest: Sendable {
    enum Method: Sendable {
        case get, head
    }

    var method = Method.get
    var url: URL
    var headers: [String: String] = [:]
    /// Limit on the whole exchange; nil for content, which may take as long as bytes keep coming.
    var deadline: Duration?
}

/// Status and headers of a response.
struct HTTPHead: Sendable, Equatable {
    var status: Int
    /// By lower-case name; of several with one name the last.
    var headers: [String: String]

    subscript(name: String) -> String? {
        headers[name]
    }

    /// Value of a header that holds one number.
    func number(_ name: String) -> Int64? {
        headers[name].flatMap { Int64($0) }
    }
}

/// Receives a response as it arrives. Called on one thread, which may block.
protocol HTTPSink: AnyObject, Sendable {
    /// Throwing ends the transfer.
    func begin(_ head: HTTPHead) throws
    func receive(_ bytes: UnsafeRawBufferPointer) throws
}

/// Keeps a short body in memory; a longer one ends the transfer.
final class MemorySink: HTTPSink {
    private let body = Mutex(Data())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var data: Data {
        body.withLock { $0 }
    }

    func begin(_ head: HTTPHead) {
        // A redirect before had a body of its own.
        body.withLock { $0 = Data() }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) throws {
        try body.withLock { body in
            guard body.count + bytes.count <= limit else {
                throw HubError(.limitExceeded, "The hub's answer is longer than \(limit) bytes.")
            }
            body.append(contentsOf: bytes)
        }
    }
}
