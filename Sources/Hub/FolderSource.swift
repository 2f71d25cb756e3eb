import Foundation

/// Takes an encoder from a folder in the Hugging Face layout. The files are copied, so that the folder may change
/// or go.
struct FolderSource {
    let folder: URL
    let context: FetchContext

    private static let mostPaths = 10_000

    func fetch() async throws -> FetchedEncoder {
        try await OwnedThread.run("folder copy") { try copyAll($0) }
    }

    private func copyAll(_ cancellation: CancellationFlag) throws -> FetchedEncoder {
        let paths = try listing()
        let choice = try EncoderFiles.choose(
            from: paths, source: folder.path, readsText: try hasOwnPreprocessing() ? false : nil)
        var chosen = choice.plain
        switch choice.weights {
        case .single(let path):
            chosen.append(path)
        case .sharded(let path):
            let index = folder.appendingPathComponent(path)
            guard try RawFile(index, .read).size() <= EncoderFiles.longestIndex else {
                throw HubError(.limitExceeded, "\(index.path) is larger than \(EncoderFiles.longestIndex) bytes.")
            }
            let data = try Data(contentsOf: index)
            chosen.append(path)
            chosen += try EncoderFiles.shards(inIndex: data, of: paths, source: folder.path)
        }
        let total = try chosen.reduce(Int64(0)) { try $0 + RawFile(folder.appendingPathComponent($1), .read).size() }
        try context.checkLimit(total, folder.path)
        try Disk.requireSpace(total, in: context.staging)

        let meter = context.meter
        var files: [String: FetchedEncoder.File] = [:]
        var before: Int64 = 0
        for path in chosen {
            let target = try context.place(path)
            let done = before
            before += try Disk.copy(folder.appendingPathComponent(path), to: target, cancellation: cancellation) {
                meter.update(.unpacking, path, done + $0, of: total)
            }
            var hashed = done
            // The copy is hashed, not the original: the digest is that of what will be used.
            let digest = try FileDigest.of(target, cancellation: cancellation) { bytes in
                hashed += bytes
                meter.update(.verifying, path, hashed, of: total)
            }
            files[path] = FetchedEncoder.File(sha256: digest.sha256, size: digest.size)
        }
        return FetchedEncoder(
            name: Self.name(folder.lastPathComponent), source: folder.path, revision: nil, licence: nil, files: files)
    }

    /// Whether `config.json` describes how images are prepared itself, as checkpoints outside the hub do.
    private func hasOwnPreprocessing() throws -> Bool {
        struct Configuration: Decodable {
            struct Anything: Decodable {
                init(from decoder: any Decoder) {}
            }
            var preprocessing: Anything?
        }
        let url = folder.appendingPathComponent("config.json")
        guard FileManager.default.fileExists(atPath: url.path),
            try RawFile(url, .read).size() <= EncoderFiles.longestIndex
        else {
            return false
        }
        do {
            return try JSONDecoder().decode(Configuration.self, from: Data(contentsOf: url)).preprocessing != nil
        } catch is DecodingError {
            // Whoever loads the encoder says what is wrong with it.
            return false
        }
    }

    /// Paths of the files in the folder and in the folders directly below it.
    private func listing() throws -> Set<String> {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw HubError(
                .notFound,
                "There is no folder \(folder.path). Give the folder that holds config.json, tokenizer.json "
                    + "and model.safetensors.")
        }
        var paths: Set<String> = []
        for item in try Disk.content(of: folder) {
            paths.insert(item.lastPathComponent)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: item.path, isDirectory: &isFolder), isFolder.boolValue,
                paths.count < Self.mostPaths
            else { continue }
            // Modules of sentence-transformers and exported graphs are the only folders of interest; a folder that cannot be read is none.
            let name = item.lastPathComponent
            guard EncoderFiles.isModuleFolder(name) || name == "onnx" else { continue }
            for inner in try Disk.content(of: item) {
                paths.insert("\(item.lastPathComponent)/\(inner.lastPathComponent)")
            }
        }
        return paths
    }

    /// A folder's name as an encoder's: lower case, anything but letters, digits and `._-` replaced by `-`.
    static func name(_ folder: String) -> String {
        let mapped = folder.lowercased().map { character in
            character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
                ? character : "-"
        }
        let trimmed = String(mapped).trimmingCharacters(in: CharacterSet(charactersIn: "-."))
        return trimmed.isEmpty ? "encoder" : trimmed
    }
}
