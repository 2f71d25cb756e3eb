import Foundation

/// The kernels of Pillow's `resize`, which encoders' preprocessing is defined by. Stretched when an image shrinks, so that every
/// pixel counts (antialiasing).
package enum ResamplingFilter: String, Sendable, CaseIterable {
    case nearest, box, bilinear, hamming, bicubic, lanczos

    /// Pillow's number, as `resample` of a `preprocessor_config.json` has it.
    package init?(pillow number: Int) {
        switch number {
        case 0: self = .nearest
        case 1: self = .lanczos
        case 2: self = .bilinear
        case 3: self = .bicubic
        case 4: self = .box
        case 5: self = .hamming
        default: return nil
        }
    }

    /// Half the width of the kernel, in input pixels at scale one.
    var support: Double {
        switch self {
        case .nearest, .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    func callAsFunction(_ x: Double) -> Double {
        func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
        switch self {
        case .nearest, .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(x))
        case .hamming:
            let x = abs(x)
            return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * cos(x * .pi))
        case .bicubic:
            // Keys 1981 with a = −1/2.
            let a = -0.5, x = abs(x)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }
}
