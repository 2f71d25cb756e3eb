import Synchronization

/// The clients that compute losses for sessions, by the names that documents call them.
package final class LossProviders: Sendable {
    private struct State {
        var callees: [String: (number: UInt64, callee: any Callee)] = [:]
        var counter: UInt64 = 0
        var waiting: [String: [@Sendable () -> Void]] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Offers under these names; the latest offer counts. Returns a number to withdraw by.
    package func offer(_ names: [String], by callee: any Callee) -> UInt64 {
        let (number, waiting) = state.withLock { state in
            state.counter += 1
            var waiting: [@Sendable () -> Void] = []
            for name in names {
                state.callees[name] = (state.counter, callee)
                waiting += state.waiting.removeValue(forKey: name) ?? []
            }
            return (state.counter, waiting)
        }
        for wake in waiting { wake() }
        return number
    }

    /// Another's offer under the same name stays.
    package func withdraw(_ number: UInt64) {
        state.withLock { state in state.callees = state.callees.filter { $0.value.number != number } }
    }

    package func callee(named name: String) -> (any Callee)? { state.withLock { $0.callees[name]?.callee } }

    /// Calls `wake` once, when somebody offers, or at once when somebody does.
    func whenOffered(_ name: String, _ wake: @escaping @Sendable () -> Void) {
        let isThere = state.withLock { state in
            if state.callees[name] != nil { return true }
            state.waiting[name, default: []].append(wake)
            return false
        }
        if isThere { wake() }
    }
}
