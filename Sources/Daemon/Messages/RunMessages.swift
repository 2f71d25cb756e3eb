import Heads
import HidraProtocol
import State
import Statistics
import Workbench

extension Hidra_V1_RunProvenance {
    init(_ record: RunProvenance) {
        self.init()
        daemonVersion = record.daemonVersion
        `protocol` = record.protocolVersion
        plugin = record.plugin ?? ""
        seed = record.seed
        dataDigest = record.dataDigest
        testDigest = record.testDigest ?? ""
        encoderDigests = record.encoderDigests
        machine.processor = record.machine.processor
        machine.cores = UInt32(clamping: record.machine.cores)
        machine.threads = UInt32(clamping: record.machine.threads)
        machine.kernels = record.machine.kernels
        machine.memoryBytes = UInt64(clamping: record.machine.memoryBytes)
        machine.system = record.machine.system
        coreSeconds = record.coreSeconds
        wattsPerCore = record.rates.wattsPerCore
        coreHourPrice = record.rates.coreHourPrice
    }
}

extension Hidra_V1_CompareReply {
    init(_ comparison: RunComparison) {
        self.init()
        first = Hidra_V1_Run(comparison.first)
        second = Hidra_V1_Run(comparison.second)
        settings = comparison.settings.map { setting in
            var message = Hidra_V1_Difference()
            (message.name, message.first, message.second) = (setting.name, setting.first, setting.second)
            return message
        }
        let (a, b) = (comparison.first.metrics, comparison.second.metrics)
        metrics = Set(a.keys).union(b.keys).sorted().map { name in
            var message = Hidra_V1_MetricDifference()
            (message.name, message.first, message.second) = (name, a[name] ?? .nan, b[name] ?? .nan)
            return message
        }
        test = Hidra_V1_PairedTest(comparison.test)
    }
}

extension Hidra_V1_PairedTest {
    init(_ test: RunComparison.Test) {
        self.init()
        let interval: PairedResampling
        switch test {
        case .mcNemar(let result, let count, let resampling):
            (method, quantity, pValue) = ("mcnemar_exact", "rows right", result.pValue)
            (onlyFirst, onlySecond) = (UInt64(result.onlyFirst), UInt64(result.onlySecond))
            rows = UInt64(count)
            interval = resampling
        case .signFlip(let result, let count, let what):
            (method, quantity, pValue) = ("sign_flip", what, result.pValue)
            rows = UInt64(count)
            interval = result
        }
        (difference, low, high) = (interval.mean, interval.low, interval.high)
    }
}

extension Hidra_V1_TestRowsReply {
    init(_ run: RunRecord, _ rows: TestRows?, history: [MetricRecord]) {
        self.init()
        self.run = Hidra_V1_Run(run)
        self.history = history.map(Hidra_V1_MetricPoint.init)
        guard let rows else {
            notes = ["No answers to test rows are kept of run \(run.id): it had none, has not finished, or is of an earlier version."]
            return
        }
        task = HeadTask(rawValue: rows.task).map { Hidra_V1_Task($0) } ?? .unspecified
        labels = rows.labels
        actual = rows.actual?.values ?? []
        predicted = rows.predicted?.values ?? []
        confidence = rows.confidence?.values ?? []
        actualValues = rows.actualValues?.values ?? []
        predictedValues = rows.predictedValues?.values ?? []
        errors = rows.errors?.values ?? []
        map = rows.map?.values ?? []
        mapped = rows.mapped?.values ?? []
        explained = rows.explained ?? []
        if rows.map == nil { notes.append("There is no map: the head reads states of tokens, or of too few test rows.") }
    }
}

extension Hidra_V1_CheckDataReply {
    init(_ report: DataReport, seconds: Double) {
        self.init()
        rows = UInt64(report.rows)
        testRows = UInt64(report.testRows)
        labels = UInt64(report.labels)
        findings = report.findings.map(Hidra_V1_Finding.init)
        notes = report.notes
        self.seconds = seconds
    }
}

extension Hidra_V1_Finding {
    init(_ finding: DataFinding) {
        self.init()
        kind = finding.kind.rawValue
        severity = finding.kind.severity.rawValue
        count = UInt64(finding.count)
        text = finding.text
        examples = finding.examples.map { example in
            var message = Hidra_V1_FindingExample()
            message.row = UInt64(example.row?.row ?? 0)
            message.isTest = example.row?.isTest ?? false
            message.text = example.text
            message.label = example.label
            message.otherRow = UInt64(example.other?.row ?? 0)
            message.otherIsTest = example.other?.isTest ?? false
            message.otherText = example.otherText
            message.otherLabel = example.otherLabel
            message.suggestion = example.suggestion
            message.value = example.value
            return message
        }
    }
}
