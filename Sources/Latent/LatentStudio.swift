import Glibc
import Images
import TensorCore

/// Does what a task says with a model. Pictures of a sheet stand in the order a person reads them.
package struct LatentStudio {
    private let model: LatentModel
    private let directions: DirectionFile?

    /// Most pictures or codes of one task; maps and directions take as many as `PixelSet` holds.
    package static let mostPictures = 1024
    private static let block = 256

    package init(_ model: LatentModel, directions: DirectionFile? = nil) {
        (self.model, self.directions) = (model, directions)
    }

    /// - Throws: `LatentError`: what the task lacks, a code of another width, a model without a decoder.
    package func run(_ task: LatentTask) throws -> LatentOutcome {
        if task.verb != .map, task.verb != .learn, task.verb != .grid, max(task.images.count, task.count) > Self.mostPictures {
            throw LatentError(
                .limitExceeded, "\(max(task.images.count, task.count)) pictures are too many at a time; the limit is \(Self.mostPictures).")
        }
        var outcome = try perform(task)
        if let note = task.images.note { outcome.notes.append(note) }
        return outcome
    }

    private func perform(_ task: LatentTask) throws -> LatentOutcome {
        switch task.verb {
        case .encode: try encode(task)
        case .decode: try pictures(of: given(task), task.count, named: task.names)
        case .reconstruct: try reconstruct(task)
        case .sample: try sample(task)
        case .interpolate: try interpolate(task)
        case .edit: try edit(task)
        case .analogy: try analogy(task)
        case .map: try map(task)
        case .grid: try grid(task)
        case .learn: try learn(task)
        }
    }

    // MARK: Codes

    /// Codes and, of a VAE, the divergence of each image: in blocks that keep memory small.
    private func encoded(_ images: PixelSet) -> (codes: Tensor, divergences: [Double]?) {
        let codes = Tensor(uninitialised: [images.count, model.code])
        var divergences: [Double]?
        for start in stride(from: 0, to: images.count, by: Self.block) {
            let rows = start..<min(start + Self.block, images.count)
            let (part, logVariance) = model.encode(images.batch(rows))
            (codes.mutablePointer + start * model.code).update(from: part.contiguous().pointer, count: part.count)
            if let logVariance {
                divergences = (divergences ?? []) + GaussianDivergence(reduction: .none)(part, logVariance).values.map { Double($0) }
            }
        }
        return (codes, divergences)
    }

    /// The task's codes, or those of its images.
    private func given(_ task: LatentTask) throws -> Tensor {
        guard task.codes.isEmpty else {
            guard task.codeWidth == model.code, task.codes.count % task.codeWidth == 0 else {
                throw LatentError(
                    .invalidArgument, "A latent of this model has \(model.code) numbers; these have \(task.codeWidth).",
                    details: ["expected": String(model.code), "got": String(task.codeWidth)])
            }
            if let bad = task.codes.firstIndex(where: { !$0.isFinite }) {
                throw LatentError(
                    .invalidArgument, "Number \(bad % task.codeWidth + 1) of latent \(bad / task.codeWidth + 1) is \(task.codes[bad]).")
            }
            return Tensor(task.codes, [task.codes.count / task.codeWidth, task.codeWidth])
        }
        guard task.images.count > 0 else { throw LatentError(.invalidArgument, "Give images, or latents.") }
        return encoded(task.images).codes
    }

    private func require(_ count: Int, _ task: LatentTask, _ what: String) throws -> Tensor {
        let codes = try given(task)
        guard codes.shape[0] == count else {
            throw LatentError(
                .invalidArgument, "\(task.verb.rawValue) needs \(what): \(count) images or latents, not \(codes.shape[0]).")
        }
        return codes
    }

    private func name(_ task: LatentTask, _ index: Int) -> String {
        index < task.names.count ? task.names[index] : "image \(index + 1)"
    }

    // MARK: Pictures

    /// The decoded codes, a picture each.
    private func pictures(of codes: Tensor, _ columns: Int, named names: [String] = []) throws -> LatentOutcome {
        let images = try model.decode(codes)
        var outcome = LatentOutcome()
        outcome.codes = codes.values
        outcome.codeWidth = model.code
        outcome.items = (0..<codes.shape[0]).map { .init($0 < names.count ? names[$0] : "latent \($0 + 1)") }
        try outcome.show(images, columns: columns > 0 ? columns : min(8, Int(Double(codes.shape[0]).squareRoot().rounded(.up))))
        try outcome.keep(images)
        return outcome
    }

    private func encode(_ task: LatentTask) throws -> LatentOutcome {
        guard task.images.count > 0 else { throw LatentError(.invalidArgument, "Give images to encode.") }
        var outcome = LatentOutcome()
        let (codes, divergences) = encoded(task.images)
        outcome.codes = codes.values
        outcome.codeWidth = model.code
        outcome.items = (0..<codes.shape[0]).map { row in
            .init(name(task, row), divergences.map { ["kl": $0[row]] } ?? [:])
        }
        outcome.addMeans()
        return outcome
    }

    /// Each image above what became of it.
    private func reconstruct(_ task: LatentTask) throws -> LatentOutcome {
        guard task.images.count > 0 else { throw LatentError(.invalidArgument, "Give images to reconstruct.") }
        let images = task.images.batch(0..<task.images.count), (codes, divergences) = encoded(task.images)
        let decoded = try model.decode(codes)
        let figures = ImageFigures(images, decoded), psnr = figures.psnr, ssim = StructuralSimilarity.values(images, decoded)
        var outcome = LatentOutcome()
        outcome.codes = codes.values
        outcome.codeWidth = model.code
        outcome.items = (0..<images.shape[0]).map { row in
            var item = LatentOutcome.Item(
                name(task, row), ["psnr": psnr[row], "ssim": ssim[row], "mse": figures.errors[row]])
            if let divergences { item.figures["kl"] = divergences[row] }
            return item
        }
        outcome.addMeans()
        let columns = min(12, images.shape[0])
        try outcome.show(Self.interleaved(images, decoded, columns: columns), columns: columns)
        try outcome.keep(decoded)
        return outcome
    }

    private func sample(_ task: LatentTask) throws -> LatentOutcome {
        guard task.temperature >= 0, task.temperature <= 10 else {
            throw LatentError(.invalidArgument, "The temperature is from 0 to 10; it was \(task.temperature).")
        }
        let codes = model.sample(task.count > 0 ? task.count : 16, seed: task.seed, temperature: Float(task.temperature))
        return try pictures(of: codes, 0)
    }

    private func interpolate(_ task: LatentTask) throws -> LatentOutcome {
        let ends = try require(2, task, "a first and a last one"), steps = task.count > 0 ? task.count : 8
        guard steps >= 2 else { throw LatentError(.invalidArgument, "An interpolation has 2 steps at least, its ends.") }
        let codes = Tensor(uninitialised: [steps, model.code])
        for step in 0..<steps {
            let share = Float(step) / Float(steps - 1)
            for i in 0..<model.code {
                codes.mutablePointer[step * model.code + i] = ends.pointer[i] * (1 - share) + ends.pointer[model.code + i] * share
            }
        }
        var outcome = try pictures(of: codes, steps)
        for step in 0..<steps { outcome.items[step] = .init("step \(step + 1)", ["share": Double(step) / Double(steps - 1)]) }
        return outcome
    }

    /// A row for each image: its own reconstruction at amount 0, and the direction added by each amount.
    private func edit(_ task: LatentTask) throws -> LatentOutcome {
        guard let directions else { throw LatentError(.notFound, "This model has no directions.") }
        let direction = try directions.direction(task.direction, width: model.code)
        let amounts = task.amounts.isEmpty ? [-2, -1, 0, 1, 2] : task.amounts
        guard amounts.allSatisfy({ $0.isFinite && abs($0) <= 1000 }) else {
            throw LatentError(.invalidArgument, "Amounts are from -1000 to 1000; they were \(amounts).")
        }
        let codes = try given(task), rows = codes.shape[0]
        guard rows * amounts.count <= Self.mostPictures else {
            throw LatentError(.limitExceeded, "\(rows) images by \(amounts.count) amounts are more than \(Self.mostPictures) pictures.")
        }
        let edited = Tensor(uninitialised: [rows * amounts.count, model.code])
        for row in 0..<rows {
            for (place, amount) in amounts.enumerated() {
                for i in 0..<model.code {
                    edited.mutablePointer[(row * amounts.count + place) * model.code + i] =
                        codes.pointer[row * model.code + i] + Float(amount) * direction.vector[i]
                }
            }
        }
        var outcome = try pictures(of: edited, amounts.count)
        for row in 0..<rows {
            for (place, amount) in amounts.enumerated() {
                outcome.items[row * amounts.count + place] = .init(name(task, row), ["amount": amount])
            }
        }
        outcome.directions = [direction]
        return outcome
    }

    private func analogy(_ task: LatentTask) throws -> LatentOutcome {
        let given = try require(3, task, "A, B and C (A is to B as C is to …)"), width = model.code
        let codes = Tensor(uninitialised: [4, width])
        codes.mutablePointer.update(from: given.contiguous().pointer, count: 3 * width)
        for i in 0..<width {
            codes.mutablePointer[3 * width + i] = given.pointer[2 * width + i] + given.pointer[width + i] - given.pointer[i]
        }
        var outcome = try pictures(of: codes, 2)
        for (index, name) in ["A", "B", "C", "C + B - A"].enumerated() { outcome.items[index].name = name }
        return outcome
    }

    // MARK: Many images

    private func map(_ task: LatentTask) throws -> LatentOutcome {
        let codes = try given(task)
        guard task.labels.isEmpty || task.labels.count == codes.shape[0] else {
            throw LatentError(.invalidArgument, "\(task.labels.count) labels for \(codes.shape[0]) images.")
        }
        let (image, explained) = LatentMap().dots(codes, labels: task.labels)
        var outcome = LatentOutcome()
        outcome.figures = ["explained": explained, "images": Double(codes.shape[0])]
        outcome.codes = codes.values
        outcome.codeWidth = model.code
        outcome.sheet = [UInt8](try image.png())
        for (index, label) in Set(task.labels).sorted().enumerated() {
            let (r, g, b) = LatentMap.colours[index % LatentMap.colours.count]
            outcome.notes.append("\(label): colour \(r),\(g),\(b)")
        }
        return outcome
    }

    private func grid(_ task: LatentTask) throws -> LatentOutcome {
        let count = task.count > 0 ? task.count : 12
        guard count <= 40 else { throw LatentError(.limitExceeded, "A grid has at most 40 images a side; \(count) were asked for.") }
        // Without images: the codes that the training images' statistics would give.
        let isGiven = task.images.count > 0 || !task.codes.isEmpty
        let codes = isGiven ? try given(task) : drawn(1000)
        return try pictures(of: LatentMap.plane(codes, count: count), count)
    }

    /// Codes like those of the training images.
    private func drawn(_ count: Int) -> Tensor {
        let noise = CounterNoise(seed: 0, stream: "grid"), codes = Tensor(uninitialised: [count, model.code])
        for row in 0..<count {
            let z = (0..<model.code).map { noise.normal(row * model.code + $0) }
            for (i, value) in model.statistics.place(z).enumerated() { codes.mutablePointer[row * model.code + i] = value }
        }
        return codes
    }

    private func learn(_ task: LatentTask) throws -> LatentOutcome {
        guard let directions else { throw LatentError(.unsupported, "This model cannot keep directions.") }
        let codes = try given(task)
        guard codes.shape[0] > 1 else { throw LatentError(.invalidData, "Directions are learned from many images; there is one.") }
        var learned: [LatentDirection]
        if task.method == .pca {
            learned = DirectionLearning.principal(codes, count: min(task.count > 0 ? task.count : 4, model.code))
        } else {
            guard task.labels.count == codes.shape[0], !task.label.isEmpty, !task.direction.isEmpty else {
                throw LatentError(
                    .invalidArgument, "Name the direction, and the label it leads to; the images must have labels. Or use the method pca.")
            }
            let rows = task.labels.indices.filter { task.against.isEmpty || [task.label, task.against].contains(task.labels[$0]) }
            let part = Tensor(uninitialised: [rows.count, model.code])
            for (position, row) in rows.enumerated() {
                (part.mutablePointer + position * model.code).update(from: codes.pointer + row * model.code, count: model.code)
            }
            learned = [
                try DirectionLearning.labelled(
                    task.direction, part, has: rows.map { task.labels[$0] == task.label }, method: task.method)
            ]
        }
        try directions.add(learned)
        var outcome = LatentOutcome()
        outcome.directions = learned
        outcome.items = learned.map { .init($0.name, ["quality": $0.quality]) }
        return outcome
    }

    /// Rows of one above rows of the other: `columns` of the first, as many of the second, and so on. A last row is filled with black.
    private static func interleaved(_ a: Tensor, _ b: Tensor, columns: Int) -> Tensor {
        let count = a.shape[0], size = a.count / max(count, 1), rows = (count + columns - 1) / columns
        let result = Tensor(repeating: 0, Shape([2 * rows * columns] + a.shape.dimensions.dropFirst()))
        let first = a.contiguous(), second = b.contiguous()
        for index in 0..<count {
            let place = index / columns * 2 * columns + index % columns
            (result.mutablePointer + place * size).update(from: first.pointer + index * size, count: size)
            (result.mutablePointer + (place + columns) * size).update(from: second.pointer + index * size, count: size)
        }
        return result
    }
}

extension LatentOutcome {
    fileprivate mutating func show(_ images: Tensor, columns: Int) throws {
        sheet = [UInt8](try ContactSheet(columns: columns, side: images.shape[2])(images).png())
    }

    fileprivate mutating func keep(_ images: Tensor) throws {
        pictures = try (0..<images.shape[0]).map { [UInt8](try ContactSheet.single(images, $0).png()) }
    }

    /// The means of the items' figures.
    fileprivate mutating func addMeans() {
        for name in Set(items.flatMap(\.figures.keys)) {
            figures[name] = items.reduce(0) { $0 + ($1.figures[name] ?? 0) } / Double(max(items.count, 1))
        }
    }
}
