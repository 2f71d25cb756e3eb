/// From a decoded image to an encoder's input: resize → centre crop → `(x · scale − mean) / std`. The result has one size for all
/// images, so that any of them fit into a batch.
package struct ImagePreprocessing: Sendable, Equatable {
    package enum Resize: Sendable, Equatable {
        /// The shorter side becomes this long, the other `int(side · long / short)`.
        case shortestEdge(Int)
        case exactly(height: Int, width: Int)
    }

    package struct Size: Sendable, Equatable {
        package var height: Int
        package var width: Int

        package init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    package let resize: Resize?
    package let filter: ResamplingFilter
    /// Where the image is smaller than the crop, black is put around it.
    package let crop: Size?
    package let scale: Double
    package let mean: [Double]
    package let std: [Double]
    /// Height and width of the encoder's input.
    package let outputSize: Size
    /// Value of each channel for each of the 256 levels: `[3][256]`.
    private let levels: [[Float]]

    /// Longest side an encoder may ask for.
    package static let largestSide = 8192

    /// - Parameters:
    ///   - scale: 1 when pixels are not rescaled.
    ///   - mean, std: for red, green and blue; 0 and 1 when there is no normalisation.
    /// - Throws: `ImageError.invalidConfiguration` when a number cannot be, or images would end up with different sizes.
    package init(
        resize: Resize?, filter: ResamplingFilter, crop: Size?, scale: Double, mean: [Double], std: [Double]
    ) throws(ImageError) {
        func require(_ holds: Bool, _ message: @autoclosure () -> String) throws(ImageError) {
            if !holds { throw ImageError(.invalidConfiguration, message()) }
        }
        func checkSide(_ side: Int) throws(ImageError) {
            try require(
                (1...Self.largestSide).contains(side),
                "asks for images of \(side) pixels, expected 1…\(Self.largestSide)")
        }
        switch resize {
        case .shortestEdge(let edge): try checkSide(edge)
        case .exactly(let height, let width):
            try checkSide(height)
            try checkSide(width)
        case nil: break
        }
        if let crop {
            try checkSide(crop.height)
            try checkSide(crop.width)
        }
        try require(
            mean.count == 3 && std.count == 3, "has \(mean.count) means and \(std.count) deviations, expected 3 of each"
        )
        try require(scale.isFinite && scale > 0, "rescales by \(scale)")
        try require(
            mean.allSatisfy(\.isFinite) && std.allSatisfy { $0.isFinite && $0 > 0 }, "normalises by \(mean) and \(std)")
        if let crop {
            outputSize = crop
        } else if case .exactly(let height, let width) = resize {
            outputSize = Size(height: height, width: width)
        } else {
            throw ImageError(
                .invalidConfiguration,
                "leaves images with different sizes: it neither crops nor resizes to a height and a width, so no batch can be made"
            )
        }
        self.resize = resize
        self.filter = filter
        self.crop = crop
        self.scale = scale
        self.mean = mean
        self.std = std
        levels = (0..<3).map { channel in
            (0..<256).map { Float((Double($0) * scale - mean[channel]) / std[channel]) }
        }
    }

    /// What is done, in a form that changes exactly when the result does: part of the feature cache's key.
    package var description: String {
        let size =
            switch resize {
            case .shortestEdge(let edge): "short=\(edge),\(filter.rawValue)"
            case .exactly(let height, let width): "size=\(height)x\(width),\(filter.rawValue)"
            case nil: "keep"
            }
        let cut = crop.map { "crop=\($0.height)x\($0.width)" } ?? "whole"
        func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ",") }
        return "image-1 upright rgb \(size) \(cut) scale=\(scale) mean=\(list(mean)) std=\(list(std))"
    }

    // MARK: Steps

    /// The size of an image after the resizing step.
    package func resizedSize(height: Int, width: Int) -> Size {
        switch resize {
        case nil: return Size(height: height, width: width)
        case .exactly(let newHeight, let newWidth): return Size(height: newHeight, width: newWidth)
        case .shortestEdge(let edge):
            // In floating point, as the reference computes it; exact below 2⁵³.
            let long = Int(Double(edge * max(height, width)) / Double(min(height, width)))
            return height <= width ? Size(height: edge, width: long) : Size(height: long, width: edge)
        }
    }

    /// The image after resizing and cropping: `[outputSize.height, outputSize.width, 3]`.
    package func fitted(_ image: RGBImage) -> RGBImage {
        let size = resizedSize(height: image.height, width: image.width), target = crop ?? size
        let rows = Self.centre(target.height, of: size.height), columns = Self.centre(target.width, of: size.width)
        // Only what remains after the crop is resampled, however long the other side is.
        let part = image.resized(
            width: size.width, height: size.height, filter: filter, window: PixelWindow(columns: columns, rows: rows))
        return part.centred(height: target.height, width: target.width)
    }

    /// `[height, width, 3]`, the channel last, of `outputSize`.
    package func channelsLast(_ image: RGBImage) -> [Float] {
        let fitted = fitted(image), count = fitted.pixels.count
        return [Float](unsafeUninitializedCapacity: count) { target, initialised in
            for channel in 0..<3 {
                levels[channel].withUnsafeBufferPointer { levels in
                    for index in stride(from: channel, to: count, by: 3) {
                        target[index] = levels[Int(fitted.pixels[index])]
                    }
                }
            }
            initialised = count
        }
    }

    /// `[3, height, width]`, the channel first.
    package func channelsFirst(_ image: RGBImage) -> [Float] {
        let last = channelsLast(image), plane = last.count / 3
        return (0..<3).flatMap { channel in (0..<plane).map { last[$0 * 3 + channel] } }
    }

    /// The middle `length` of `extent` positions, or all of them when there are fewer.
    private static func centre(_ length: Int, of extent: Int) -> Range<Int> {
        guard length < extent else { return 0..<extent }
        let start = (extent - length) / 2
        return start..<start + length
    }
}

extension RGBImage {
    /// In the middle of a black image of this size, at the lower right of the middle when a side is odd.
    fileprivate func centred(height: Int, width: Int) -> RGBImage {
        guard height != self.height || width != self.width else { return self }
        var result = [UInt8](repeating: 0, count: height * width * 3)
        let top = (height - self.height + 1) / 2, left = (width - self.width + 1) / 2
        for row in 0..<self.height {
            let start = ((top + row) * width + left) * 3
            result.replaceSubrange(
                start..<start + self.width * 3, with: pixels[row * self.width * 3..<(row + 1) * self.width * 3])
        }
        return RGBImage(width: width, height: height, pixels: result)
    }
}
