import Encoders
import HidraProtocol
import State
import Workbench

extension Hidra_V1_Encoder {
    init(_ record: EncoderRecord) {
        self.init()
        name = record.name
        architecture = record.architecture
        parameters = UInt64(clamping: record.parameters)
        bytes = UInt64(clamping: record.bytes)
        width = UInt32(clamping: record.width)
        layers = UInt32(clamping: record.layers)
        maxTokens = UInt32(clamping: record.maxTokens)
        pooling = record.pooling
        source = record.source
        revision = record.revision
        licence = record.licence
        digest = record.digest
        created = record.created
        modality = record.modality.rawValue
        taps = record.taps
        precision = record.precision.rawValue
    }
}

extension Hidra_V1_Head {
    init(_ record: HeadRecord) {
        self.init()
        name = record.name
        encoder = record.encoder
        task = record.task
        kind = record.kind
        labels = record.labels
        parameters = UInt64(clamping: record.parameters)
        digest = record.digest
        created = record.created
        metrics = record.metrics
        run = record.run
        tap = record.tap
        modality = record.modality.rawValue
        inputs = record.reads.map(Hidra_V1_HeadInput.init)
        calls = (record.calls ?? []).map(Hidra_V1_CallKind.init)
        servedBy = record.servedBy ?? ""
    }
}

extension Hidra_V1_HeadInput {
    init(_ input: HeadInput) {
        self.init()
        name = input.name
        encoder = input.encoder
        tap = input.tap
        form = input.form == .states ? .states : .pooled
        column = input.column
    }
}

extension Hidra_V1_Run {
    init(_ record: RunRecord) {
        self.init()
        id = record.id
        head = record.head
        encoder = record.encoder
        state = record.state.rawValue
        started = record.started
        ended = record.ended ?? 0
        metrics = record.metrics
        message = record.message
        seconds = record.seconds
        configuration = record.configuration
        if let record = record.provenance { provenance = Hidra_V1_RunProvenance(record) }
    }
}

extension Hidra_V1_MetricPoint {
    init(_ record: MetricRecord) {
        self.init()
        step = UInt64(clamping: record.step)
        name = record.name
        value = record.value
    }
}
