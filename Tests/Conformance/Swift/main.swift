import Foundation
import HidraClient
import HidraProtocol

/// The Swift client, told what to do by lines on standard input: see Tests/Conformance/README.md.
let program = Program()
while let line = readLine() {
    let answer = await program.answer(Fields(line))
    FileHandle.standardOutput.write(Data((answer + "\n").utf8))
}
