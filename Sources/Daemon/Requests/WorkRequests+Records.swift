import Encoders
import Foundation
import Heads
import HidraProtocol
import State
import Workbench

extension WorkRequests {
    /// The rows of a data check, taken now: the client may drop them, or go, as soon as it has asked.
    func dataCheck(_ request: Hidra_V1_CheckDataRequest, _ client: ClientIdentity) throws -> DataCheckRequest {
        guard !request.inputColumns.isEmpty else { throw Failure(.invalidArgument, "Name the columns that hold the texts.") }
        func rows(_ name: String) throws -> (texts: [[String]], labels: [String]) {
            let table = try data.table(name, client: client)
            return (try request.inputColumns.map(table.texts), try table.texts(request.labelColumn))
        }
        let train = try rows(request.data), test = request.testData.isEmpty ? nil : try rows(request.testData)
        var check = DataCheckRequest(
            texts: train.texts, labels: train.labels, testTexts: test?.texts ?? [], testLabels: test?.labels ?? [],
            task: try HeadTask(request.task), separator: try separator(request.labelSeparator, default: "|") ?? "|",
            encoder: request.encoder.isEmpty ? nil : request.encoder)
        check.tap = request.tap
        check.precision = try Precision(wire: request.precision)
        check.seed = request.seed
        if request.examples > 0 { check.examples = Int(request.examples) }
        if request.near != 0 { check.near = request.near }
        if request.rare > 0 { check.rare = Int(request.rare) }
        return check
    }

    func checkData(_ check: DataCheckRequest, _ job: JobHandle) async throws -> Answer {
        let start = ContinuousClock.now
        let report = try await workbench.check(check) { job.report($0) }
        return Answer(.checkDataReply(Hidra_V1_CheckDataReply(report, seconds: (ContinuousClock.now - start) / .seconds(1))))
    }

    func compare(_ request: Hidra_V1_CompareRequest) async throws -> Answer {
        Answer(
            .compareReply(Hidra_V1_CompareReply(try await workbench.compare(request.first, request.second, seed: request.seed))))
    }

    func testRows(_ request: Hidra_V1_TestRowsRequest) async throws -> Answer {
        let (run, rows) = try await workbench.testRows(of: request.run)
        return Answer(
            .testRowsReply(Hidra_V1_TestRowsReply(run, rows, history: try await workbench.registry.history(run: run.id))))
    }

    func exportBundle(_ request: Hidra_V1_ExportBundleRequest) async throws -> Answer {
        var reply = Hidra_V1_ExportBundleReply()
        reply.bundle = try await workbench.exportBundle(head: request.head)
        return Answer(.exportBundleReply(reply))
    }

    func importBundle(_ request: Hidra_V1_ImportBundleRequest) async throws -> Answer {
        let result = try await workbench.importBundle(
            request.bundle, name: request.name.isEmpty ? nil : request.name, replace: request.replace)
        if result.isNew { events.record("head.imported", result.head.name, ["digest": result.head.digest]) }
        var reply = Hidra_V1_ImportBundleReply()
        reply.head = Hidra_V1_Head(result.head)
        reply.imported = result.isNew
        reply.notes = result.notes
        return Answer(.importBundleReply(reply))
    }
}
