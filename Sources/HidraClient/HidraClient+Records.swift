public import Foundation
public import HidraProtocol

extension HidraClient {
    /// Looks for faults in labelled rows uploaded before.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func check(
        _ request: Hidra_V1_CheckDataRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_CheckDataReply {
        try await ask(.checkData(request), on: .work, progress: progress) {
            if case .checkDataReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Compares two runs, or the runs of two heads, on the test rows they share.
    ///
    /// - Parameter seed: of the resampling.
    public func compare(_ first: String, _ second: String, seed: UInt64 = 0) async throws -> Hidra_V1_CompareReply {
        var request = Hidra_V1_CompareRequest()
        (request.first, request.second, request.seed) = (first, second, seed)
        return try await ask(.compare(request), on: .work) {
            if case .compareReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// What was kept of a run's test rows; of the run that made a head, by the head's name.
    public func testRows(of run: String) async throws -> Hidra_V1_TestRowsReply {
        var request = Hidra_V1_TestRowsRequest()
        request.run = run
        return try await ask(.testRows(request), on: .work) {
            if case .testRowsReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// A head as a file for another daemon.
    public func exportBundle(head: String) async throws -> Data {
        var request = Hidra_V1_ExportBundleRequest()
        request.head = head
        return try await ask(.exportBundle(request), on: .work) {
            if case .exportBundleReply(let reply) = $0.envelope.kind { reply.bundle } else { nil }
        }
    }

    /// Registers the head of such a file.
    ///
    /// - Parameter name: empty: the file's own.
    public func importBundle(_ bundle: Data, name: String = "", replace: Bool = false) async throws -> Hidra_V1_ImportBundleReply {
        guard bundle.count < limits.messageBytes - 65_536 else {
            throw HidraError(
                .limitExceeded, "The bundle has \(bundle.count) bytes; hidrad takes messages of \(limits.messageBytes).")
        }
        var request = Hidra_V1_ImportBundleRequest()
        (request.bundle, request.name, request.replace) = (bundle, name, replace)
        return try await ask(.importBundle(request), on: .work) {
            if case .importBundleReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
