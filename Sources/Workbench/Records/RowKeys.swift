import Encoders
import Foundation
import State

/// Short digests of labelled rows: two runs were tested on the same rows when these agree.
///
/// Eight bytes: among a million rows the chance of any two sharing one is 3 · 10⁻⁸.
enum RowKeys {
    static func all(_ columns: [[EncoderInput]], _ labels: [String]) -> [UInt64] {
        labels.indices.map { row in
            let digest = SHA256Digest(of: Data(text(columns.map { $0[row] }, labels[row]).utf8))
            return digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// SHA-256 of all of them, hexadecimal.
    static func digest(_ keys: [UInt64]) -> String {
        SHA256Digest(of: Data(keys.flatMap { key in withUnsafeBytes(of: key.bigEndian, Array.init) })).hex
    }

    /// What stands for a row in digests.
    static func text(_ inputs: [EncoderInput], _ label: String) -> String {
        (inputs.map(\.digestText) + [label]).joined(separator: "\u{1f}")
    }
}

extension EncoderInput {
    fileprivate var digestText: String {
        switch self {
        case .text(let text): text
        case .image(let file): file.digest.map { String($0, radix: 16) }.joined(separator: ".")
        }
    }
}
