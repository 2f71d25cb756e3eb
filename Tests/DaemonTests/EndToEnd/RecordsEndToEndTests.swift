import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Checks, records and bundles, over the sockets")
struct RecordsEndToEndTests {
    @Test("data is checked, two runs are compared, and a head goes to another daemon and answers there")
    func wholeStory() async throws {
        let daemon = try RunningDaemon(environment: ["HIDRA_WATTS_PER_CORE": "7.5"])
        let client = try await daemon.connectWithEncoder()
        var columns = letterRows(64)
        // The first row again, as test data and with another label.
        let test = try await client.upload(columns: [UploadColumn("text", ["aa a a", "zz q"]), UploadColumn("label", ["a", "a"])])
        columns = [columns[0], columns[1]]
        let data = try await client.upload(columns: columns)
        var check = Hidra_V1_CheckDataRequest()
        (check.data, check.testData, check.inputColumns, check.labelColumn) = (data, test, ["text"], "label")
        check.encoder = "tiny"
        let report = try await client.check(check)
        #expect(report.rows == 64 && report.testRows == 2 && report.labels == 4)
        let leak = try #require(report.findings.first { $0.kind == "leakage" })
        #expect(leak.severity == "error" && leak.count == 1 && leak.examples[0].isTest && leak.examples[0].otherRow == 1)

        for (name, epochs) in [("first", UInt32(4)), ("second", 8)] {
            var request = trainRequest(name, data, epochs: epochs)
            request.holdout = 0.25
            let run = try await client.train(request).run
            #expect(run.provenance.wattsPerCore == 7.5 && run.provenance.coreSeconds > 0 && run.provenance.daemonVersion == DaemonService.version)
        }
        let comparison = try await client.compare("first", "second")
        #expect(comparison.test.rows == 16 && comparison.test.method == "mcnemar_exact")
        #expect(comparison.settings.map(\.name) == ["settings.epochs"] && comparison.metrics.map(\.name).contains("accuracy"))
        let rows = try await client.testRows(of: "first")
        #expect(rows.actual.count == 16 && rows.confidence.count == 16 && rows.map.count == 32 && !rows.history.isEmpty)

        let bundle = try await client.exportBundle(head: "first")
        let other = try RunningDaemon()
        let elsewhere = try await other.connectWithEncoder()
        let imported = try await elsewhere.importBundle(bundle, name: "moved")
        #expect(imported.imported && imported.head.name == "moved")
        let texts = ["aa c d", "bb a a", "dd b c"]
        let (ours, theirs) = (try await client.predict(heads: ["first"], .texts(texts)), try await elsewhere.predict(heads: ["moved"], .texts(texts)))
        #expect(ours.inputs == theirs.inputs)
        #expect(try await elsewhere.compare("moved", "moved").test.pValue == 1)
        let damaged = await #expect(throws: HidraError.self) { try await elsewhere.importBundle(bundle.dropLast(40), name: "x") }
        #expect(damaged?.code == .corrupt)
        for (client, daemon) in [(client, daemon), (elsewhere, other)] {
            await client.close()
            try await daemon.stop()
        }
    }

    @Test("a setting of energy or price that is no number keeps the daemon from starting", arguments: ["HIDRA_WATTS_PER_CORE", "HIDRA_CORE_HOUR_PRICE"])
    func settings(_ name: String) {
        #expect(throws: (any Error).self) { try EngineSettings([name: "ten"]) }
        #expect(throws: (any Error).self) { try EngineSettings([name: "-1"]) }
    }
}
