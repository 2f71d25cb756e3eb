import Foundation
import Graphs
import Heads
import HidraProtocol
import Workbench

extension WorkRequests {
    /// What would be made of an ONNX graph. A graph with problems is an answer, not a failure.
    func checkGraph(_ request: Hidra_V1_CheckGraphRequest) async throws -> Answer {
        let bytes = request.model, batch = max(1, Int(clamping: request.batch))
        let sizes = request.sizes.mapValues { Int(clamping: $0) }
        return try await Workbench.offPool {
            do {
                let report = try GraphModel(data: bytes).check(batch: batch, sizes: sizes)
                return Answer(.checkGraphReply(Hidra_V1_CheckGraphReply(report)))
            } catch let error as GraphError {
                // Not even a report can be made: the file is no ONNX model, or too large.
                var reply = Hidra_V1_CheckGraphReply()
                reply.problems = [Hidra_V1_GraphProblem(node: error.node, op: error.op, message: error.message)]
                return Answer(.checkGraphReply(reply))
            }
        }
    }

    /// Runs an ONNX graph once. Not on the compute thread: an author's graph may take long, and predictions must not wait for it.
    func runGraph(_ request: Hidra_V1_RunGraphRequest, _ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]])
        async throws -> Answer
    {
        let bytes = request.model
        return try await Workbench.offPool {
            let start = ContinuousClock.now
            do {
                let model = try GraphModel(data: bytes)
                let declared = model.inputTypes
                var inputs: [String: GraphValue] = [:]
                for (frame, tensor) in zip(frames, tensors) {
                    guard inputs[frame.name] == nil else {
                        throw Failure(.invalidArgument, "Input '\(frame.name)' is given twice.")
                    }
                    guard let type = ElementType(frame.type) else {
                        throw Failure(
                            .unsupported, "Input '\(frame.name)' has an element type this daemon does not know.")
                    }
                    let shape = frame.shape.map { Int(clamping: $0) }
                    // Few programs can write bfloat16; float32 stands in for it.
                    inputs[frame.name] =
                        type == .float32 && declared[frame.name] == .bfloat16
                        ? try GraphValue(type: .bfloat16, shape: shape, bytes: Self.halved(tensor))
                        : try GraphValue(type: type, shape: shape, bytes: Data(tensor))
                }
                let outputs = try GraphProgram(model).run(inputs: inputs)
                var reply = Hidra_V1_RunGraphReply()
                reply.seconds = (ContinuousClock.now - start) / .seconds(1)
                return Answer(
                    .runGraphReply(reply),
                    tensors: outputs.map { name, value in
                        var frame = Hidra_V1_TensorFrame()
                        frame.name = name
                        frame.type = Hidra_V1_DataType(value.type)
                        frame.shape = value.shape.map { UInt64($0) }
                        return (frame, [UInt8](value.bytes))
                    })
            } catch let error as GraphError {
                throw Failure(error)
            }
        }
    }

    /// float32 → bfloat16, rounded to the nearest, ties to even; NaN stays NaN.
    private static func halved(_ bytes: [UInt8]) -> Data {
        let halves = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { index -> UInt16 in
                let bits = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
                if Float(bitPattern: bits).isNaN { return UInt16(bits >> 16) | 0x40 }
                return UInt16(truncatingIfNeeded: (UInt64(bits) + 0x7fff + UInt64(bits >> 16 & 1)) >> 16).littleEndian
            }
        }
        return halves.withUnsafeBytes { Data($0) }
    }

    func export(_ request: Hidra_V1_ExportRequest) async throws -> Answer {
        var reply = Hidra_V1_ExportReply()
        reply.model = try await workbench.export(head: request.head)
        return Answer(.exportReply(reply))
    }
}

extension Failure {
    init(_ error: GraphError) {
        let code: ErrorCode =
            switch error.code {
            case .tooLarge: .limitExceeded
            // Of no node: the inputs that were given do not fit the graph.
            case .unknownName, .typeMismatch, .shapeMismatch: error.node == nil ? .invalidArgument : .unsupported
            default: .unsupported
            }
        self.init(code, error.description, details: error.node.map { ["node": $0] } ?? [:])
    }
}

extension Hidra_V1_GraphProblem {
    fileprivate init(node: String?, op: String?, message: String) {
        self.init()
        self.node = [node, op.map { "(\($0))" }].compactMap { $0 }.joined(separator: " ")
        self.message = message
    }
}

extension Hidra_V1_CheckGraphReply {
    fileprivate init(_ report: GraphReport) {
        self.init()
        operators = report.operators.map { use in
            var message = Hidra_V1_OperatorUse()
            message.name = use.name
            message.count = UInt64(use.count)
            message.differentiable = use.hasGradient
            return message
        }
        inputs = report.inputs.map(Hidra_V1_GraphValue.init)
        outputs = report.outputs.map(Hidra_V1_GraphValue.init)
        initialisers = report.weights.map { weight in
            var message = Hidra_V1_GraphValue()
            message.name = weight.name
            message.type = weight.type.rawValue
            message.shape = weight.shape.map(String.init)
            return message
        }
        parameters = UInt64(clamping: report.trainableParameters)
        weightBytes = UInt64(clamping: report.weightBytes)
        activationBytes = UInt64(clamping: report.activationBytes)
        for problem in report.problems {
            let message = Hidra_V1_GraphProblem(node: problem.node, op: problem.op, message: problem.message)
            if problem.code == .dependsOnData { remarks.append(message) } else { problems.append(message) }
        }
        roles = HeadPorts(report.inputs).ports.map(Hidra_V1_GraphInputRole.init)
        opsets = report.operatorSets.mapValues { UInt64(clamping: $0) }
    }
}

extension Hidra_V1_GraphInputRole {
    fileprivate init(_ port: HeadPorts.Port) {
        self.init()
        input = port.name
        switch port.role {
        case .vectors: role = "vectors"
        case .states: role = "states"
        case .mask(let owner): (role, of) = ("mask", owner)
        case .lengths(let owner): (role, of) = ("lengths", owner)
        case .none(let reason): (role, problem) = ("none", reason)
        }
    }
}

extension Hidra_V1_GraphValue {
    fileprivate init(_ port: GraphReport.Port) {
        self.init()
        name = port.name
        type = port.type?.rawValue ?? ""
        shape = port.shape ?? ["…"]
    }
}

private let wireTypes: [(wire: Hidra_V1_DataType, type: ElementType)] = [
    (.float32, .float32), (.float64, .float64), (.float16, .float16), (.bfloat16, .bfloat16), (.int8, .int8),
    (.int16, .int16),
    (.int32, .int32), (.int64, .int64), (.uint8, .uint8), (.uint16, .uint16), (.uint32, .uint32), (.uint64, .uint64),
    (.bool, .bool),
]

extension ElementType {
    fileprivate init?(_ wire: Hidra_V1_DataType) {
        guard let type = wireTypes.first(where: { $0.wire == wire })?.type else { return nil }
        self = type
    }
}

extension Hidra_V1_DataType {
    fileprivate init(_ type: ElementType) { self = wireTypes.first { $0.type == type }?.wire ?? .unspecified }
}
