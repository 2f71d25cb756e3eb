import Foundation
import HidraClient
import HidraProtocol

/// ONNX files of the command line.
enum GraphFile {
    /// What the daemon takes in one message, about: a larger file is not read.
    private static let largest = 63 << 20

    /// - Throws: `notFound`, or `limitExceeded` before the file is read.
    static func read(_ path: String) throws -> Data {
        let size: Int?
        do {
            size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        } catch {
            throw HidraError(.notFound, "There is no file \(path).")
        }
        guard let size, size <= largest else {
            throw HidraError(
                .limitExceeded,
                "\(path) has \(size ?? 0) bytes; a graph may have \(largest). Give it smaller initialisers.")
        }
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            throw HidraError(.invalidData, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
