import HidraProtocol
import TensorCore
import Testing
import Workbench

@testable import Daemon

@Suite("Settings of the engine")
struct EngineSettingsTests {
    static let wrong: [(name: String, value: String, says: String)] = [
        ("HIDRA_KERNELS", "sse9", "no level"), ("HIDRA_KERNELS", "", "no level"), ("HIDRA_THREADS", "0", "1 to 256"),
        ("HIDRA_THREADS", "two", "1 to 256"), ("HIDRA_BATCH_TOKENS", "-3", "1 to"), ("HIDRA_BATCH_TOKENS", "1e9", "1 to"),
    ]

    @Test("one that cannot be is refused, with what it may be", arguments: wrong.indices)
    func refused(_ index: Int) {
        let (name, value, says) = Self.wrong[index]
        let error = #expect(throws: Failure.self) { try EngineSettings([name: value]) }
        #expect(error?.code == .invalidArgument && error?.message.contains(name) == true && error?.message.contains(says) == true)
    }

    @Test("a level of kernels that exists but that this processor lacks is refused by name")
    func missingLevel() {
        for level in KernelLevel.all where !KernelLevel.available.contains(level) {
            let error = #expect(throws: Failure.self) { try EngineSettings(["HIDRA_KERNELS": level]) }
            #expect(error?.message.contains("lacks") == true)
        }
        for level in KernelLevel.available {
            #expect(throws: Never.self) { try EngineSettings(["HIDRA_KERNELS": level]) }
        }
        #expect(KernelLevel.available.first == "portable")
    }

    @Test("those that are missing have their defaults, and a budget is taken as it is")
    func taken() throws {
        #expect(try EngineSettings([:]).budget.tokens == nil)
        #expect(try EngineSettings(["HIDRA_BATCH_TOKENS": "512", "HIDRA_THREADS": "2"]).budget.tokens == 512)
    }
}
