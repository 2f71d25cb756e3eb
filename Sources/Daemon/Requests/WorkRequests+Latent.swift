import Encoders
import Foundation
import HidraProtocol
import Latent
import State
import Workbench

extension WorkRequests {
    func pretrain(
        _ request: Hidra_V1_PretrainRequest, _ inputs: [EncoderInput], _ job: JobHandle
    ) async throws -> Answer {
        let outcome = try await workbench.pretrain(
            try Pretraining(request.settings), name: request.encoder, images: inputs
        ) { job.report($0) }
        events.record("encoder.registered", outcome.encoder.name, ["digest": outcome.encoder.digest])
        var reply = Hidra_V1_PretrainReply()
        reply.encoder = Hidra_V1_Encoder(outcome.encoder)
        reply.figures = outcome.figures
        reply.images = UInt64(outcome.images)
        reply.validationImages = UInt64(outcome.validationImages)
        reply.steps = UInt64(outcome.steps)
        reply.epochs = UInt32(outcome.history.count)
        reply.bestEpoch = UInt32(outcome.bestEpoch)
        reply.seconds = outcome.seconds
        reply.imagesPerSecond = outcome.imagesPerSecond
        reply.notes = outcome.notes
        return Answer(.pretrainReply(reply))
    }

    /// The images of a request, taken when it arrives.
    func images(_ data: String, _ column: String, names: String, _ client: ClientIdentity) throws -> [EncoderInput] {
        let inputs = try inputs(of: self.data.table(data, client: client), column, names: names)
        if let first = inputs.first, first.modality != .image {
            throw Failure(.invalidArgument, "Column '\(column)' of '\(data)' holds texts; images are needed.")
        }
        return inputs
    }

    /// What a request asks for; images and codes are taken when it arrives.
    func latentRequest(
        _ request: Hidra_V1_LatentRequest, _ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]], _ client: ClientIdentity
    ) throws -> LatentRequest {
        guard let verb = LatentVerb(rawValue: request.verb) else {
            let known = LatentVerb.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.invalidArgument, "There is no verb '\(request.verb)' in latent spaces; there are: \(known).")
        }
        guard let method = LatentDirection.Method(rawValue: request.method.isEmpty ? "means" : request.method) else {
            throw Failure(.invalidArgument, "There is no method '\(request.method)'; there are means, probe and pca.")
        }
        let inputs = request.data.isEmpty ? [] : try images(request.data, request.imageColumn, names: request.nameColumn, client)
        let labels = request.labelColumn.isEmpty ? [] : try data.table(request.data, client: client).texts(request.labelColumn)
        let (codes, width) = try Self.codes(frames, tensors)
        return LatentRequest(
            encoder: request.encoder, verb: verb, inputs: inputs, labels: labels, codes: codes, codeWidth: width
        ) { task in
            task.count = Int(request.count)
            task.seed = request.seed
            if request.hasTemperature { task.temperature = request.temperature }
            task.direction = request.direction
            task.amounts = request.amounts
            task.method = method
            task.label = request.label
            task.against = request.against
        }
    }

    private static func codes(_ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]]) throws -> ([Float], Int) {
        guard let frame = frames.first, let bytes = tensors.first else { return ([], 0) }
        guard frame.type == .float32, frame.shape.count == 2, let rows = Int(exactly: frame.shape[0]),
            let width = Int(exactly: frame.shape[1]), rows.multipliedReportingOverflow(by: width).overflow == false,
            bytes.count % 4 == 0, bytes.count / 4 == rows * width
        else {
            throw Failure(.invalidArgument, "Codes are one float32 tensor [rows, code]; this one is \(frame.shape) of \(bytes.count) bytes.")
        }
        let values = bytes.withUnsafeBytes { raw in
            (0..<rows * width).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
        return (values, width)
    }

    func latent(_ request: LatentRequest) async throws -> Answer {
        let outcome = try await workbench.latent(request)
        var reply = Hidra_V1_LatentReply()
        reply.items = outcome.items.map { item in
            var message = Hidra_V1_LatentItem()
            message.name = item.name
            message.figures = item.figures
            return message
        }
        reply.figures = outcome.figures
        reply.sheet = Data(outcome.sheet)
        reply.pictures = outcome.pictures.map { Data($0) }
        reply.directions = outcome.directions.map { direction in
            var message = Hidra_V1_Direction()
            message.name = direction.name
            message.method = direction.method.rawValue
            message.vector = direction.vector
            message.quality = direction.quality
            return message
        }
        reply.notes = outcome.notes
        guard outcome.codeWidth > 0 else { return Answer(.latentReply(reply)) }
        var frame = Hidra_V1_TensorFrame()
        frame.name = "codes"
        frame.type = .float32
        frame.shape = [UInt64(outcome.codes.count / outcome.codeWidth), UInt64(outcome.codeWidth)]
        return Answer(.latentReply(reply), tensors: [(frame, outcome.codes.withUnsafeBytes { Array($0) })])
    }
}

extension Pretraining {
    /// Zero, empty and unset mean the default, as `latent.proto` says.
    fileprivate init(_ message: Hidra_V1_PretrainSettings) throws {
        self.init()
        guard let kind = LatentConfiguration.Kind(rawValue: message.kind.isEmpty ? "vae" : message.kind) else {
            let known = LatentConfiguration.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.invalidArgument, "There is no kind '\(message.kind)' of training without labels; there are: \(known).")
        }
        self.kind = kind
        if message.side > 0 { side = Int(message.side) }
        if message.channels > 0 { channels = Int(message.channels) }
        code = message.code > 0 ? Int(message.code) : kind == .contrastive ? 128 : code
        widths = message.widths.map { Int($0) }
        decoderWidths = message.decoderWidths.map { Int($0) }
        if message.hidden > 0 { hidden = Int(message.hidden) }
        units = message.units.map { Int($0) }
        if message.epochs > 0 { epochs = Int(message.epochs) }
        if message.batchSize > 0 { batchSize = Int(message.batchSize) }
        if message.learningRate != 0 { learningRate = message.learningRate }
        seed = message.seed
        if message.hasValidation { validation = message.validation }
        if message.patience > 0 { patience = Int(message.patience) }
        if message.hasBeta { beta.beta = message.beta }
        if message.hasBetaWarmup { beta.warmup = message.betaWarmup }
        if message.betaCycles > 0 { beta.cycles = Int(message.betaCycles) }
        if message.hasNoise { noise = message.noise }
        if message.patch > 0 { masking.patch = Int(message.patch) }
        if message.ratio > 0 { masking.ratio = message.ratio }
        if message.gibbsSteps > 0 { boltzmann.steps = Int(message.gibbsSteps) }
        if message.hasPersistent { boltzmann.persistent = message.persistent }
        if message.temperature > 0 { temperature = message.temperature }
        if message.hasAugmentation {
            let given = message.augmentation
            augmentation = Augmentation(
                rotation: given.rotation, shift: given.shift, crop: given.crop == 0 ? 1 : given.crop, flip: given.flip, noise: given.noise)
        }
    }
}
