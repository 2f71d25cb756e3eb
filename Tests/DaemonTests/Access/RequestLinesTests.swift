import Testing

@testable import Daemon

@Suite("Requests in line")
struct RequestLinesTests {
    @Test("A ticket that is given back before its turn neither stops those before it nor those behind it")
    func abandoned() async {
        let lines = RequestLines(), served = Recorder<Int>()
        let tickets = (0..<5).map { _ in lines.enter("run") }
        lines.abandon(tickets[1])
        lines.abandon(tickets[3])
        await withTaskGroup(of: Void.self) { group in
            for number in [4, 2, 0] {
                group.addTask {
                    await lines.turn(tickets[number])
                    served.append(number)
                    lines.done(tickets[number])
                }
            }
        }
        #expect(served.values == [0, 2, 4])
        // The line is empty again, and its first ticket has its turn at once.
        let first = lines.enter("run")
        lines.abandon(first)
        await lines.turn(lines.enter("run"))
    }
}
