import Scheduling
import TestSupport
import Testing

private func waiting(
    _ id: UInt64, _ priority: Priority, served: Double = 0, _ account: Account = .common, _ deadline: Waiting.Deadline? = nil
) -> Waiting {
    Waiting(id: id, priority: priority, arrival: id, served: served, account: account, deadline: deadline)
}

private let ana = Account("ana"), ben = Account("ben"), double = Account("double", share: 2)

/// Charged in this order, while all want more.
private func ledger(_ charges: (Account, Double)...) -> Ledger {
    var ledger = Ledger(), active: Set<Account> = []
    for (account, _) in charges where active.insert(account).inserted { ledger.arrive(account) }
    for (account, seconds) in charges { ledger.charge(account, coreSeconds: seconds, active: active) }
    return ledger
}

@Suite("The schedule")
struct ScheduleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let says: String
        let waiting: [Waiting]
        var ledger = Ledger()
        var now = 0.0
        let next: UInt64?
        var testDescription: String { says }
    }

    static let cases = [
        Case(says: "nobody waits", waiting: [], next: nil),
        Case(
            says: "somebody who waits goes before training, and training before bulk",
            waiting: [waiting(1, .bulk), waiting(2, .training), waiting(3, .interactive)], next: 3),
        Case(says: "training before bulk", waiting: [waiting(1, .bulk), waiting(2, .training, served: 100)], next: 2),
        Case(
            says: "of one account, what has had less", waiting: [waiting(1, .training, served: 2), waiting(2, .training, served: 1)],
            next: 2),
        Case(says: "then what came first", waiting: [waiting(2, .interactive), waiting(1, .interactive)], next: 1),
        Case(
            says: "the account that has had less, however much its task has",
            waiting: [waiting(1, .training, ana), waiting(2, .training, served: 9, ben)], ledger: ledger((ana, 3), (ben, 1)), next: 2),
        Case(
            says: "a double share counts half", waiting: [waiting(1, .training, ana), waiting(2, .training, double)],
            ledger: ledger((ana, 3), (double, 5)), next: 2),
        Case(
            says: "a class above an account that has had less", waiting: [waiting(1, .interactive, ana), waiting(2, .training, ben)],
            ledger: ledger((ana, 9), (ben, 0.1)), next: 1),
        Case(
            says: "a deadline that presses goes first",
            waiting: [waiting(1, .training, ana), waiting(2, .training, ben, .init(time: 10, remaining: 9))],
            ledger: ledger((ana, 1), (ben, 5)), now: 2, next: 2),
        Case(
            says: "one that is far off does not",
            waiting: [waiting(1, .training, ana), waiting(2, .training, ben, .init(time: 100, remaining: 9))],
            ledger: ledger((ana, 1), (ben, 5)), now: 2, next: 1),
        Case(
            says: "one that is missed does not",
            waiting: [waiting(1, .training, ana), waiting(2, .training, ben, .init(time: 10, remaining: 9))],
            ledger: ledger((ana, 1), (ben, 5)), now: 11, next: 1),
        Case(
            says: "of two that press, the earlier",
            waiting: [
                waiting(1, .training, ana, .init(time: 12, remaining: 99)), waiting(2, .training, ben, .init(time: 10, remaining: 99)),
            ], now: 1, next: 2),
        Case(
            says: "no deadline is above a class",
            waiting: [waiting(1, .interactive, ana), waiting(2, .bulk, ben, .init(time: 10, remaining: 99))], now: 1, next: 1),
    ]

    @Test("gives the next unit to", arguments: cases)
    func next(_ example: Case) {
        #expect(Schedule.next(example.waiting, ledger: example.ledger, now: example.now) == example.next)
        #expect(Schedule.next(example.waiting.reversed(), ledger: example.ledger, now: example.now) == example.next, "in the other order")
    }
}

@Suite("What accounts have had")
struct LedgerTests {
    @Test("an account that was idle is lifted to the least of those that were not")
    func lifted() {
        var ledger = ledger((ana, 1), (ben, 1))
        // Ana goes away; Ben works on alone.
        for _ in 0..<100 { ledger.charge(ben, coreSeconds: 1, active: [ben]) }
        ledger.arrive(ana)
        #expect(ledger.used(by: ana) == 101 && ledger.used(by: ben) == 101)
    }

    @Test("an account that is new begins at the least of the others")
    func new() {
        let ledger = ledger((ana, 4), (ben, 6))
        #expect(ledger.used(by: Account("new")) == 4)
    }

    @Test("an account that had more than its share does not lose that by a break")
    func noEscape() {
        var ledger = ledger((ana, 10), (ben, 1))
        ledger.charge(ben, coreSeconds: 1, active: [ben])
        ledger.arrive(ana)
        #expect(ledger.used(by: ana) == 10 && ledger.used(by: ben) == 2)
    }

    @Test("clients that come and go are forgotten")
    func bounded() {
        var ledger = Ledger()
        for number in 0..<1000 {
            let account = Account("client \(number)")
            ledger.arrive(account)
            ledger.charge(account, coreSeconds: 0.001, active: [account])
            ledger.charge(account, coreSeconds: 0.001, active: [])
            ledger.charge(ana, coreSeconds: 1, active: [ana])
        }
        #expect(ledger == { var same = Ledger(); same.charge(ana, coreSeconds: 1000, active: [ana]); return same }() || ledger.used(by: ana) >= 1000)
        #expect(ledger.used(by: Account("client 3")) == ledger.used(by: ana))
    }
}
