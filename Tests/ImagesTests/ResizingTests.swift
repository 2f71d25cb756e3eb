import CImages
import Testing

@testable import Images

@Suite("Resizing")
struct ResizingTests {
    private func noise(_ width: Int, _ height: Int) -> RGBImage {
        var random = SplitMix(state: UInt64(width * 1_000 + height))
        return RGBImage(
            width: width, height: height,
            pixels: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    @Test("a window of the result is that part of the whole result", arguments: ResamplingFilter.allCases)
    func windows(_ filter: ResamplingFilter) {
        for (width, height, newWidth, newHeight) in [
            (40, 30, 17, 23), (9, 11, 30, 25), (13, 7, 13, 20), (13, 7, 20, 7), (5, 5, 5, 5),
        ] {
            let image = noise(width, height)
            let whole = image.resized(width: newWidth, height: newHeight, filter: filter)
            let window = PixelWindow(columns: 2..<newWidth - 1, rows: 1..<newHeight - 2)
            let part = image.resized(width: newWidth, height: newHeight, filter: filter, window: window)
            #expect(part == whole.cropped(window), "\(filter) \(width)×\(height) to \(newWidth)×\(newHeight)")
        }
    }

    @Test("a plain colour stays plain, at any size", arguments: ResamplingFilter.allCases)
    func plain(_ filter: ResamplingFilter) {
        for (from, to) in [(1, 1), (1, 50), (2, 3), (100, 1), (37, 36)] {
            let image = RGBImage(
                width: from, height: from, pixels: (0..<from * from).flatMap { _ in [3, 130, 255] as [UInt8] })
            let resized = image.resized(width: to, height: to, filter: filter)
            #expect(
                resized.pixels == (0..<to * to).flatMap { _ in [3, 130, 255] as [UInt8] }, "\(filter) \(from) to \(to)")
        }
    }

    @Test("the kernels of this processor give the bits of the portable ones")
    func kernels() {
        for (width, height, taps) in [(1, 1, 1), (7, 5, 3), (64, 40, 9), (131, 17, 16)] {
            let image = noise(width, height)
            var random = SplitMix(state: UInt64(taps))
            func axis(_ input: Int, _ output: Int) -> (taps: Int, first: [Int32], weights: [Int32]) {
                let taps = min(taps, input)
                let first = (0..<output).map { _ in Int32(random.next() % UInt64(input - taps + 1)) }
                let scale = Int64(1 << ci_weight_bits) / Int64(taps)
                return (
                    taps, first,
                    (0..<output * taps).map { _ in Int32(Int64(random.next() % UInt64(2 * scale)) - scale / 2) }
                )
            }
            let columns = axis(width, 50), rows = axis(height, 33)
            var fast = [UInt8](repeating: 1, count: height * 50 * 3), portable = fast
            ci_resample_rows(height, width, image.pixels, 50, columns.taps, columns.first, columns.weights, &fast)
            ci_resample_rows_portable(
                height, width, image.pixels, 50, columns.taps, columns.first, columns.weights, &portable)
            #expect(fast == portable, "columns of \(width) × \(height), \(taps) taps")
            fast = [UInt8](repeating: 1, count: 33 * width * 3)
            portable = fast
            ci_resample_columns(width * 3, image.pixels, 33, rows.taps, rows.first, rows.weights, &fast)
            ci_resample_columns_portable(width * 3, image.pixels, 33, rows.taps, rows.first, rows.weights, &portable)
            #expect(fast == portable, "rows of \(width) × \(height), \(taps) taps")
        }
    }
}
