import Foundation
import HidraClient
import HidraProtocol
import Images

/// What the inputs of `predict` and `embed` mean: texts as they are, or paths of images.
enum InputKind: Sendable {
    case texts, images

    /// What a head reads, and the names of the columns it reads it from.
    static func of(head: String, _ session: Session) async throws -> (kind: InputKind, columns: [String]) {
        let reply = try await session.client.show(head)
        guard case .head(let record)? = reply.item else {
            throw HidraError(.notFound, "'\(head)' is no head. `hidra ls` lists the heads there are.")
        }
        let columns = record.inputs.map(\.column).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return (record.modality == "image" ? .images : .texts, columns)
    }

    /// What an encoder reads.
    static func of(encoder: String, _ session: Session) async throws -> InputKind {
        let reply = try await session.client.show(encoder)
        guard case .encoder(let record)? = reply.item else {
            throw HidraError(.notFound, "'\(encoder)' is no encoder. `hidra ls` lists the encoders there are.")
        }
        return record.modality == "image" ? .images : .texts
    }

    /// The inputs that names stand for: a folder stands for the images in it, in order of their names.
    func expand(_ names: [String]) throws -> [String] {
        guard self == .images else { return names }
        return try names.flatMap { name -> [String] in
            guard Paths.isDirectory(name) else { return [name] }
            do throws(ImageError) {
                return try ImageFolder(URL(filePath: name)).names.map {
                    "\(name.hasSuffix("/") ? String(name.dropLast()) : name)/\($0)"
                }
            } catch {
                throw HidraError(.invalidData, error.description, cause: error)
            }
        }
    }

    /// Bytes of images in one request.
    private static let requestBytes = 16 << 20

    /// Cuts inputs into requests. Images are read as they are sent.
    ///
    /// - Parameters:
    ///   - send: positions in `names` of the inputs of one request, and the inputs.
    ///   - problem: called for an image that cannot be read.
    func inRequests(
        _ names: [String], send: ([Int], Inputs) async throws -> Void, problem: (Int, String) -> Void
    ) async throws {
        guard self == .images else {
            if !names.isEmpty { try await send(Array(names.indices), .texts(names)) }
            return
        }
        var positions: [Int] = [], images: [Data] = [], bytes = 0
        for (position, name) in names.enumerated() {
            do throws(ImageError) {
                let image = try BoundedImageFile.read(name, limits: .standard, followsLinks: true)
                positions.append(position)
                images.append(image)
                bytes += image.count
            } catch {
                problem(position, error.message)
            }
            if bytes >= Self.requestBytes {
                try await send(positions, .images(images))
                (positions, images, bytes) = ([], [], 0)
            }
        }
        if !images.isEmpty { try await send(positions, .images(images)) }
    }
}
