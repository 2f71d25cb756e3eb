/// What accounts have had of the engine, in core-seconds divided by their shares: the account that has had least is next (start-time
/// fair queueing, Goyal et al. 1996).
///
/// One that was idle does not collect a claim: when it wants the engine again, it is lifted to the least of those that have wanted it
/// all the time.
package struct Ledger: Sendable, Equatable {
    /// Core-seconds over share.
    private var used: [String: Double] = [:]
    /// The least among the accounts that wanted the engine, when it was last charged.
    private var floor = 0.0

    package init() {}

    package func used(by account: Account) -> Double { max(used[account.name] ?? 0, floor) }

    /// Accounts that are told apart from one that comes for the first time.
    var count: Int { used.count }

    /// An account that wanted nothing wants the engine.
    package mutating func arrive(_ account: Account) { used[account.name] = used(by: account) }

    /// - Parameter active: the accounts that want the engine now, this one included if it wants more.
    package mutating func charge(_ account: Account, coreSeconds: Double, active: Set<Account>) {
        used[account.name] = used(by: account) + coreSeconds / account.share
        if let least = active.map({ used(by: $0) }).min() { floor = max(floor, least) }
        // Who would be lifted in any case need not be remembered.
        let names = Set(active.map(\.name))
        used = used.filter { names.contains($0.key) || $0.value > floor }
    }
}
