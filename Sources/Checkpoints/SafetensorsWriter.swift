package import Foundation
package import TensorCore

/// Writes float tensors in the safetensors format. The same tensors give the same bytes: names are sorted, keys too.
package enum SafetensorsWriter {
    package static func encode(_ tensors: [String: Tensor], metadata: [String: String] = [:]) throws -> Data {
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var offset = 0
        let ordered = tensors.sorted { $0.key < $1.key }
        for (name, tensor) in ordered {
            let end = offset + tensor.count * MemoryLayout<Float>.stride
            header[name] = ["dtype": "F32", "shape": tensor.shape.dimensions, "data_offsets": [offset, end]] as [String: Any]
            offset = end
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        // The tensors begin at a multiple of 8, as the reference implementation does.
        json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
        var file = Data(capacity: 8 + json.count + offset)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(json)
        for (_, tensor) in ordered {
            let dense = tensor.contiguous()
            file.append(contentsOf: UnsafeRawBufferPointer(start: dense.pointer, count: dense.count * MemoryLayout<Float>.stride))
        }
        return file
    }
}
