import Encoders
import Foundation
package import State
import TensorCore
import Training

/// What the records of a daemon's runs have in common.
package struct RunCircumstances: Sendable {
    package var daemonVersion: String
    package var protocolVersion: UInt32
    package var rates: EnergyRates

    package init(daemonVersion: String = "", protocolVersion: UInt32 = 0, rates: EnergyRates = EnergyRates()) {
        (self.daemonVersion, self.protocolVersion, self.rates) = (daemonVersion, protocolVersion, rates)
    }
}

extension Machine {
    /// The machine this process runs on. What the system does not tell is empty.
    package static var current: Machine {
        Machine(
            processor: processorName, cores: ProcessInfo.processInfo.activeProcessorCount, threads: WorkerPool.shared.threads,
            kernels: KernelLevel.current, memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory),
            system: ProcessInfo.processInfo.operatingSystemVersionString)
    }

    private static var processorName: String {
        guard let bytes = FileManager.default.contents(atPath: "/proc/cpuinfo") else { return "" }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
}

extension TrainingPlan {
    func provenance(_ circumstances: RunCircumstances, plugin: String?) -> RunProvenance {
        RunProvenance(
            daemonVersion: circumstances.daemonVersion, protocolVersion: circumstances.protocolVersion, plugin: plugin,
            seed: request.settings.seed, dataDigest: dataDigest, testDigest: testRows.isEmpty ? nil : RowKeys.digest(testKeys),
            encoderDigests: Dictionary(
                sources.map { ($0.input.encoder, $0.input.encoderDigest) }, uniquingKeysWith: { first, _ in first }),
            machine: .current, rates: circumstances.rates)
    }

    /// SHA-256 of all cells, hexadecimal.
    var dataDigest: String {
        let cells = [request.rows, request.test].compactMap { $0 }.flatMap { rows in
            rows.labels.indices.map { row in RowKeys.text(rows.columns.map { $0[row] }, rows.labels[row]) }
        }
        return SHA256Digest(of: Data(cells.joined(separator: "\u{1e}").utf8)).hex
    }

    /// Labels of the test rows, as they stand in the table.
    var testCells: [String] { request.test?.labels ?? testRows.map { request.rows.labels[$0] } }

    /// Of the test rows, in their order.
    var testKeys: [UInt64] { RowKeys.all(columns.map { column in testRows.map { column[$0] } }, testCells) }
}
