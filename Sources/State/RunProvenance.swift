/// Where a run happened, with what, and what it took.
package struct RunProvenance: Codable, Hashable, Sendable {
    package var daemonVersion: String
    package var protocolVersion: UInt32
    /// Client that had calls of the run answered, e.g. "spell-checker 1.0".
    package var plugin: String?
    package var seed: UInt64
    /// SHA-256 of inputs and labels, training and test rows.
    package var dataDigest: String
    /// SHA-256 of the test rows alone.
    package var testDigest: String?
    /// Encoder → SHA-256 of its weights.
    package var encoderDigests: [String: String]
    package var machine: Machine
    /// Time of the compute thread times its workers; other threads' share of a run is small.
    package var coreSeconds = 0.0
    package var rates: EnergyRates

    package init(
        daemonVersion: String, protocolVersion: UInt32, plugin: String? = nil, seed: UInt64, dataDigest: String,
        testDigest: String? = nil, encoderDigests: [String: String], machine: Machine, rates: EnergyRates
    ) {
        (self.daemonVersion, self.protocolVersion, self.plugin) = (daemonVersion, protocolVersion, plugin)
        (self.seed, self.dataDigest, self.testDigest) = (seed, dataDigest, testDigest)
        (self.encoderDigests, self.machine, self.rates) = (encoderDigests, machine, rates)
    }
}

/// What a core costs; both are estimates that whoever runs the daemon may set.
package struct EnergyRates: Codable, Hashable, Sendable {
    /// Default 10: a server processor's thermal design power over its cores (AMD EPYC 9354: 280 W, 32 cores: 8.75), and a part of what memory
    /// and fans take.
    package var wattsPerCore = 10.0
    /// Dollars. Default 0.05: about what a virtual core costs on demand at the large providers.
    package var coreHourPrice = 0.05

    package init() {}

    /// - Throws: `invalidArgument` with the variable, its value and what it may be.
    package init(_ environment: [String: String]) throws {
        func number(_ name: String, _ fallback: Double) throws -> Double {
            guard let text = environment[name] else { return fallback }
            guard let value = Double(text), value.isFinite, value >= 0, value <= 100_000 else {
                throw WorkbenchError(.invalidArgument, "\(name) is \"\(text)\"; it must be a number from 0 to 100000.")
            }
            return value
        }
        wattsPerCore = try number("HIDRA_WATTS_PER_CORE", wattsPerCore)
        coreHourPrice = try number("HIDRA_CORE_HOUR_PRICE", coreHourPrice)
    }
}

/// The machine a run happened on.
package struct Machine: Codable, Hashable, Sendable {
    /// As the system names it, e.g. "AMD EPYC 9354 32-Core Processor".
    package var processor: String
    package var cores: Int
    /// Compute threads.
    package var threads: Int
    /// Level of the kernels.
    package var kernels: String
    package var memoryBytes: Int
    package var system: String

    package init(processor: String, cores: Int, threads: Int, kernels: String, memoryBytes: Int, system: String) {
        (self.processor, self.cores, self.threads) = (processor, cores, threads)
        (self.kernels, self.memoryBytes, self.system) = (kernels, memoryBytes, system)
    }
}
