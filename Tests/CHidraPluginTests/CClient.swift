import CHidraPlugin
import Foundation
import Glibc
import ZeroMQ

/// What a call of the C library failed with.
struct CError: Error {
    var code: String
    var message: String
    var details: [String: String]
}

/// Strings for C, for as long as this lives.
final class CStrings {
    private var strings: [UnsafeMutablePointer<CChar>] = []
    private var lists: [UnsafeMutablePointer<UnsafePointer<CChar>?>] = []

    func one(_ text: String) -> UnsafePointer<CChar> {
        guard let copy = strdup(text) else { fatalError("no memory") }
        strings.append(copy)
        return UnsafePointer(copy)
    }

    func many(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
        let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: max(texts.count, 1))
        for (index, text) in texts.enumerated() { (list + index).initialize(to: one(text)) }
        lists.append(list)
        return UnsafePointer(list)
    }

    deinit {
        for string in strings { free(string) }
        for list in lists { list.deallocate() }
    }
}

/// The C library's client, with Swift's strings and errors around it. Blocks, as it does: used on threads of its own.
///
/// Unchecked: `hidra.h` lets any thread use a client, and the tests say goodbye last.
final class CClient: @unchecked Sendable {
    private let client: OpaquePointer

    init(home: String, daemon: String? = nil, timeout: Double = 20, silence: Double = 0) throws {
        let strings = CStrings()
        var options = hidra_options()
        options.home = strings.one(home)
        options.client = strings.one("c-tests")
        options.start = daemon != nil
        options.daemon = daemon.map(strings.one)
        options.timeout = timeout
        options.silence = silence
        var client: OpaquePointer?
        try check { hidra_connect(&options, &client, &$0) }
        guard let client else { fatalError("hidra_connect gave no client") }
        self.client = client
        withExtendedLifetime(strings) {}
    }

    func goodbye() { hidra_goodbye(client) }

    var greeting: hidra_welcome { hidra_greeting(client).pointee }

    func pull(_ source: String, name: String) throws {
        var encoder: UnsafeMutablePointer<hidra_encoder>?
        try check { hidra_pull(client, nil, source, name, &encoder, &$0) }
        hidra_free(encoder)
    }

    func append(_ columns: [(name: String, texts: [String])], to data: String, after first: Int = 0) throws {
        let strings = CStrings()
        let parts = columns.map { hidra_column(name: strings.one($0.name), texts: strings.many($0.texts), blobs: nil) }
        let rows = columns[0].texts.count
        try check { hidra_append_rows(client, nil, data, UInt64(first), parts, parts.count, rows, &$0) }
        withExtendedLifetime(strings) {}
    }

    /// Trains a head; returns its digest.
    ///
    /// - Parameter progress: false cancels.
    func train(
        _ head: String, on data: String, call: hidra_call, progress: @escaping (String) -> Bool,
        configure: (inout hidra_training, CStrings) -> Void
    ) throws -> String {
        let strings = CStrings()
        var training = hidra_training()
        training.head = strings.one(head)
        training.encoder = strings.one("tiny")
        training.data = strings.one(data)
        training.input_column = strings.one("text")
        training.label_column = strings.one("label")
        configure(&training, strings)
        let listener = Listener(progress)
        var call = call
        call.context = Unmanaged.passUnretained(listener).toOpaque()
        call.progress = { progress, context in
            guard let progress, let context else { return 1 }
            let listener = Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue()
            return listener.hear(String(cString: progress.pointee.phase)) ? 0 : 1
        }
        var trained: UnsafeMutablePointer<hidra_trained>?
        try check { hidra_train(client, &call, &training, &trained, &$0) }
        defer { hidra_free(trained) }
        withExtendedLifetime((strings, listener)) {}
        return trained.map { String(cString: $0.pointee.head.digest) } ?? ""
    }

    func train(
        _ head: String, on data: String, configure: (inout hidra_training, CStrings) -> Void = { _, _ in }
    ) throws -> String {
        try train(head, on: data, call: hidra_call(), progress: { _ in true }, configure: configure)
    }

    func cancel(tag: UInt64) -> Int { hidra_cancel(client, tag) }

    /// The best label of each head for each text.
    func predict(_ heads: [String], _ texts: [String], timeout: Double = 0) throws -> [[String]] {
        let strings = CStrings()
        var inputs = hidra_inputs()
        (inputs.texts, inputs.count) = (strings.many(texts), texts.count)
        var call = hidra_call()
        call.timeout = timeout
        var predictions: UnsafeMutablePointer<hidra_predictions>?
        try check { hidra_predict(client, &call, strings.many(heads), heads.count, &inputs, 0, nil, &predictions, &$0) }
        defer { hidra_free(predictions) }
        withExtendedLifetime(strings) {}
        guard let predictions = predictions?.pointee else { return [] }
        return (0..<predictions.count).map { input in
            let input = predictions.inputs[input]
            return (0..<input.answer_count).map { String(cString: input.answers[$0].labels[0].label) }
        }
    }

    func embed(_ texts: [String]) throws -> [Float] {
        let strings = CStrings()
        var inputs = hidra_inputs()
        (inputs.texts, inputs.count) = (strings.many(texts), texts.count)
        var embeddings: UnsafeMutablePointer<hidra_embeddings>?
        try check { hidra_embed(client, nil, "tiny", &inputs, nil, nil, &embeddings, &$0) }
        defer { hidra_free(embeddings) }
        withExtendedLifetime(strings) {}
        guard let embeddings = embeddings?.pointee else { return [] }
        return Array(UnsafeBufferPointer(start: embeddings.values, count: embeddings.rows * embeddings.width))
    }

    /// Accuracy on all rows of a data set, and how many there were.
    func evaluate(_ head: String, on data: String) throws -> (accuracy: Double, rows: Int) {
        let strings = CStrings()
        var measuring = hidra_measuring()
        (measuring.head, measuring.data) = (strings.one(head), strings.one(data))
        (measuring.input_column, measuring.label_column) = (strings.one("text"), strings.one("label"))
        var evaluation: UnsafeMutablePointer<hidra_evaluation>?
        try check { hidra_evaluate(client, nil, &measuring, &evaluation, &$0) }
        defer { hidra_free(evaluation) }
        withExtendedLifetime(strings) {}
        guard let evaluation = evaluation?.pointee else { return (.nan, 0) }
        return (hidra_metric_value(evaluation.metrics, evaluation.metric_count, "accuracy"), Int(evaluation.rows))
    }

    func export(_ head: String) throws -> Data {
        var model: UnsafeMutablePointer<hidra_model>?
        try check { hidra_export(client, nil, head, &model, &$0) }
        defer { hidra_free(model) }
        return model.map { Data(bytes: $0.pointee.data, count: $0.pointee.size) } ?? Data()
    }

    func heads() throws -> [String] {
        var registry: UnsafeMutablePointer<hidra_registry>?
        try check { hidra_list(client, nil, &registry, &$0) }
        defer { hidra_free(registry) }
        guard let registry = registry?.pointee else { return [] }
        return (0..<registry.head_count).map { String(cString: registry.heads[$0].name) }
    }

    func remove(_ name: String, withHeads: Bool) throws -> [String] {
        var removed: UnsafeMutablePointer<hidra_names>?
        try check { hidra_remove(client, nil, name, withHeads, &removed, &$0) }
        defer { hidra_free(removed) }
        guard let removed = removed?.pointee else { return [] }
        return (0..<removed.count).compactMap { removed.names[$0].map { String(cString: $0) } }
    }

    /// Subjects of the daemon's jobs.
    func jobs() throws -> [String] {
        var state: UnsafeMutablePointer<hidra_state>?
        try check { hidra_status(client, nil, &state, &$0) }
        defer { hidra_free(state) }
        guard let state = state?.pointee else { return [] }
        return (0..<state.job_count).map { String(cString: state.jobs[$0].subject) }
    }

    private final class Listener {
        let hear: (String) -> Bool
        init(_ hear: @escaping (String) -> Bool) { self.hear = hear }
    }
}

private func check(_ call: (inout UnsafeMutablePointer<hidra_error>?) -> hidra_code) throws {
    var error: UnsafeMutablePointer<hidra_error>?
    let code = call(&error)
    defer { hidra_free(error) }
    guard code != HIDRA_OK else { return }
    guard let error = error?.pointee else {
        throw CError(code: String(cString: hidra_code_name(code)), message: "", details: [:])
    }
    let details = (0..<error.detail_count).map {
        (String(cString: error.details[$0].key), String(cString: error.details[$0].value))
    }
    throw CError(
        code: String(cString: hidra_code_name(code)), message: String(cString: error.message),
        details: Dictionary(details) { first, _ in first })
}

/// Runs blocking work off the cooperative pool.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try OwnedThread.start("c-client") { continuation.resume(with: Result(catching: work)) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
