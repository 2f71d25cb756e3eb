import CImages

/// A rectangle of pixels.
package struct PixelWindow: Sendable, Equatable {
    package var columns: Range<Int>
    package var rows: Range<Int>

    package init(columns: Range<Int>, rows: Range<Int>) {
        self.columns = columns
        self.rows = rows
    }
}

extension RGBImage {
    /// The image at another size, bit for bit as Pillow 13's `resize` makes it, each of two passes rounded to 8 bits.
    /// - Parameter window: the part of the result that is wanted; only that is computed.
    package func resized(width: Int, height: Int, filter: ResamplingFilter, window: PixelWindow? = nil) -> RGBImage {
        let window = window ?? PixelWindow(columns: 0..<width, rows: 0..<height)
        precondition(
            !window.columns.isEmpty && !window.rows.isEmpty && window.columns.lowerBound >= 0
                && window.columns.upperBound <= width && window.rows.lowerBound >= 0
                && window.rows.upperBound <= height,
            "resized: \(window) of \(width) × \(height)")
        if width == self.width, height == self.height { return cropped(window) }
        if filter == .nearest { return nearest(width: width, height: height, window: window) }
        var columns: ResamplingWeights?, rows: ResamplingWeights?
        if width != self.width {
            columns = ResamplingWeights(filter, input: self.width, output: width, window: window.columns)
        }
        if height != self.height {
            rows = ResamplingWeights(filter, input: self.height, output: height, window: window.rows)
        }
        // Only what the wanted part looks at goes into the first pass.
        let reach = PixelWindow(columns: columns?.reach ?? window.columns, rows: rows?.reach ?? window.rows)
        columns?.move(origin: reach.columns.lowerBound)
        rows?.move(origin: reach.rows.lowerBound)
        let part = cropped(reach)
        // Pillow 12 and before took the columns first always. The order decides roundings, at most by one level.
        let rowsFirst = self.height > height && self.height - height > 2 * (self.width - width)
        return rowsFirst
            ? part.resampled(rows: rows).resampled(columns: columns)
            : part.resampled(columns: columns).resampled(rows: rows)
    }

    /// The part of the image in `window`.
    package func cropped(_ window: PixelWindow) -> RGBImage {
        if window.columns == 0..<width, window.rows == 0..<height { return self }
        var part: [UInt8] = []
        part.reserveCapacity(window.columns.count * window.rows.count * 3)
        for row in window.rows {
            let start = row * width
            part += pixels[(start + window.columns.lowerBound) * 3..<(start + window.columns.upperBound) * 3]
        }
        return RGBImage(width: window.columns.count, height: window.rows.count, pixels: part)
    }

    private func resampled(columns weights: ResamplingWeights?) -> RGBImage {
        guard let weights else { return self }
        let newWidth = weights.first.count, count = height * newWidth * 3
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialised in
            ci_resample_rows(
                height, width, pixels, newWidth, weights.taps, weights.first, weights.weights, target.baseAddress)
            initialised = count
        }
        return RGBImage(width: newWidth, height: height, pixels: result)
    }

    private func resampled(rows weights: ResamplingWeights?) -> RGBImage {
        guard let weights else { return self }
        let newHeight = weights.first.count, count = newHeight * width * 3
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, initialised in
            ci_resample_columns(
                width * 3, pixels, newHeight, weights.taps, weights.first, weights.weights, target.baseAddress)
            initialised = count
        }
        return RGBImage(width: width, height: newHeight, pixels: result)
    }

    private func nearest(width: Int, height: Int, window: PixelWindow) -> RGBImage {
        /// The middle of each output pixel, summed up step by step as Pillow does, because rounding decides at ties.
        func positions(input: Int, output: Int, _ window: Range<Int>) -> [Int] {
            let scale = Double(input) / Double(output)
            var centre = scale * 0.5, result: [Int] = []
            for position in 0..<window.upperBound {
                if position >= window.lowerBound { result.append(min(Int(centre), input - 1)) }
                centre += scale
            }
            return result
        }
        let columns = positions(input: self.width, output: width, window.columns)
        var result: [UInt8] = []
        result.reserveCapacity(window.columns.count * window.rows.count * 3)
        for row in positions(input: self.height, output: height, window.rows) {
            for column in columns {
                let index = (row * self.width + column) * 3
                result += pixels[index..<index + 3]
            }
        }
        return RGBImage(width: columns.count, height: window.rows.count, pixels: result)
    }
}
