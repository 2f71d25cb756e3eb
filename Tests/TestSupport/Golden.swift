package import Checkpoints
package import Foundation

/// Reference values outside the project: a folder with `manifest.json` and safetensors files for each section.
package enum Golden {
    /// `HIDRA_GOLDEN`, or `../shared/golden` beside the checkout.
    package static let folder: URL = shared(environment: "HIDRA_GOLDEN", default: "golden")

    /// Real data sets: `HIDRA_DATA`, or `../shared/data`.
    package static let data: URL = shared(environment: "HIDRA_DATA", default: "data")

    private static func shared(environment: String, default name: String) -> URL {
        if let path = ProcessInfo.processInfo.environment[environment] { return URL(filePath: path) }
        return packageRoot.deletingLastPathComponent().appending(path: "shared/\(name)")
    }

    /// The checkout: three folders above this file.
    package static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    package static func has(_ section: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "\(section)/manifest.json").path)
    }

    /// The cases of a section; empty where the folder is absent, so that the suite can be skipped by a condition.
    package static func cases(_ section: String) -> [GoldenCase] {
        guard has(section) else { return [] }
        let folder = folder.appending(path: section)
        do {
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: "manifest.json")))
            guard let manifest = json as? [String: Any], let cases = manifest["cases"] as? [[String: Any]] else {
                fatalError("\(section)/manifest.json has no cases")
            }
            return cases.map { GoldenCase(folder: folder, fields: $0) }
        } catch {
            fatalError("\(section)/manifest.json: \(error)")
        }
    }
}

/// One case of a manifest.
package struct GoldenCase: Sendable, CustomStringConvertible {
    package let name: String
    package let op: String
    package let folder: URL
    private let json: Data

    init(folder: URL, fields: [String: Any]) {
        self.folder = folder
        name = fields["name"] as? String ?? "?"
        op = fields["op"] as? String ?? fields["architecture"] as? String ?? "?"
        do { json = try JSONSerialization.data(withJSONObject: fields) } catch { fatalError("manifest case: \(error)") }
    }

    package var description: String { name }

    package var fields: [String: Any] {
        do {
            guard let fields = try JSONSerialization.jsonObject(with: json) as? [String: Any] else { return [:] }
            return fields
        } catch { fatalError("manifest case \(name): \(error)") }
    }

    package var attributes: [String: Any] { fields["attributes"] as? [String: Any] ?? [:] }
    package var inputs: [String] { fields["inputs"] as? [String] ?? [] }
    package var outputs: [String] { fields["outputs"] as? [String] ?? [] }
    /// Output name → the tensor that holds the gradient with respect to it.
    package var outputGradients: [String: String] { fields["grad_outputs"] as? [String: String] ?? [:] }
    /// Input name → the tensor that holds its gradient.
    package var gradients: [String: String] { fields["gradients"] as? [String: String] ?? [:] }

    package func open() throws -> Safetensors {
        try Safetensors(folder.appending(path: fields["file"] as? String ?? "\(name).safetensors"))
    }

    /// The manifest's tolerance of a tensor.
    package func tolerance(_ tensor: String) -> (absolute: Float, relative: Float) {
        let entry = (fields["tensors"] as? [String: [String: Any]])?[tensor] ?? [:]
        guard let absolute = entry["atol"] as? Double, let relative = entry["rtol"] as? Double else {
            fatalError("\(name): no tolerance for \(tensor)")
        }
        return (Float(absolute), Float(relative))
    }
}
