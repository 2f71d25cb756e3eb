import HidraClient
import HidraProtocol
import Synchronization
import Testing

@Suite("The table of open requests")
struct RequestTableTests {
    /// Counts how often a request was completed.
    private final class Completions: Sendable {
        let count = Mutex(0)
        var request: RequestTable.Request { .init(completion: { [self] _ in count.withLock { $0 += 1 } }) }
    }

    private static func reply(_ id: UInt64) -> WireMessage { WireMessage(.reply(to: id, .listReply(.init()))) }

    @Test("Ids are never used twice")
    func ids() {
        var table = RequestTable()
        var ids: [UInt64] = []
        for index in 0..<10 { ids.append(index % 2 == 0 ? table.reserve() : table.idWithoutReply()) }
        #expect(Set(ids).count == 10 && !ids.contains(0))
    }

    @Test("A request cancelled between its number and its opening is not opened")
    func cancelledBeforeOpen() {
        var table = RequestTable()
        let id = table.reserve()
        let completion = table.cancel(id)
        #expect(completion == nil)
        let opened = table.open(id, Completions().request)
        #expect(!opened)
        #expect(table.openCount == 0)
        let failed = table.failAll()
        #expect(failed.isEmpty)
    }

    @Test("A request leaves the table once, by whatever comes first")
    func once() {
        var table = RequestTable()
        let completions = Completions()
        let id = table.reserve()
        let opened = table.open(id, completions.request)
        #expect(opened)
        guard case .finish(let completion, let result) = table.receive(Self.reply(id)) else {
            Issue.record("the reply did not finish its request")
            return
        }
        completion(result)
        guard case .ignore = table.receive(Self.reply(id)) else {
            Issue.record("a second reply was not ignored")
            return
        }
        let left = [table.cancel(id)].compactMap { $0 } + table.failAll()
        #expect(left.isEmpty)
        #expect(completions.count.withLock { $0 } == 1)
    }

    @Test("Silence counts from the first message that nothing answered")
    func silence() {
        var table = RequestTable()
        let id = table.reserve()
        _ = table.open(id, Completions().request)
        let start = ContinuousClock.now
        table.sent(start)
        table.sent(start + .seconds(9))
        let early = table.expire(start + .seconds(9), silence: .seconds(10))
        #expect(early.isEmpty)
        let late = table.expire(start + .seconds(11), silence: .seconds(10))
        #expect(late.map(\.error.code) == [.timeout])
        // The next request gets its full time.
        let next = table.reserve()
        _ = table.open(next, Completions().request)
        let fresh = table.expire(start + .seconds(12), silence: .seconds(10))
        #expect(fresh.isEmpty)
    }

    @Test("Anything heard ends a silence")
    func heard() {
        var table = RequestTable()
        let id = table.reserve()
        _ = table.open(id, Completions().request)
        let start = ContinuousClock.now
        table.sent(start)
        _ = table.receive(WireMessage(.reply(to: 0, .heartbeat(.init()))))
        let expired = table.expire(start + .seconds(60), silence: .seconds(10))
        #expect(expired.isEmpty)
        #expect(table.nextExpiry(silence: .seconds(10)) == nil)
        table.sent(start + .seconds(60))
        #expect(table.nextExpiry(silence: .seconds(10)).map { $0 > start + .seconds(69) } == true)
    }
}
