import Foundation
import State
import TestSupport

@testable import Workbench

/// A workbench with a tiny encoder, in a home of its own.
struct Bench {
    let folder: TemporaryFolder
    let workbench: Workbench

    init(folder: TemporaryFolder? = nil, budget: UnitBudget = UnitBudget()) async throws {
        self.folder = try folder ?? TemporaryFolder()
        workbench = try Workbench.open(self.folder.url.appending(path: "home"), budget: budget).workbench
        if folder == nil { try await register("tiny", seed: 1) }
    }

    func register(_ name: String, seed: UInt64) async throws {
        let staged = try workbench.registry.directory.stage()
        try TinyEncoder.write(to: staged, seed: seed)
        _ = try await workbench.registerEncoder(
            staged: staged, name: name, source: "test", revision: "", licence: "", files: try BundleFile.list(staged))
    }
}

/// Texts whose first letter decides: a tiny random encoder can tell them apart.
func rows(_ count: Int, salt: Int = 0) -> LabelledRows {
    let letters = Array("abcd")
    let texts = (0..<count).map { index in
        let tail = String(index * 7919 + salt, radix: 16).compactMap { digit in
            digit.hexDigitValue.map { Character(UnicodeScalar(UInt8(ascii: "e") + UInt8($0))) }
        }
        return "\(letters[index % 4])\(letters[index % 4]) \(String(tail))"
    }
    return LabelledRows(texts: texts, labels: (0..<count).map { String(letters[$0 % 4]) })
}
