package import Heads
package import State
import Synchronization

/// A head in memory.
package final class LoadedHead: @unchecked Sendable {
    // `@unchecked`: a bundle's tensors are written while it is loaded and only read afterwards.
    package let record: HeadRecord
    package let bundle: HeadBundle

    init(record: HeadRecord, bundle: HeadBundle) {
        self.record = record
        self.bundle = bundle
    }
}

/// Heads in memory, checked against their digests when they are loaded.
package final class HeadShelf: Sendable {
    private let registry: Registry
    private struct Entry {
        let head: LoadedHead
        /// Of the registry, when the record was last looked up.
        var generation: UInt64
    }

    private let loaded = Mutex<[String: Entry]>([:])

    init(registry: Registry) { self.registry = registry }

    /// - Throws: `notFound` with the nearest name, `corrupt` when the bundle was altered.
    func head(named name: String) async throws -> LoadedHead {
        let generation = registry.generation
        if let entry = loaded.withLock({ $0[name] }), entry.generation == generation { return entry.head }
        let record = try await registry.head(named: name)
        let known = loaded.withLock { loaded in
            guard loaded[name]?.head.record == record else { return nil as LoadedHead? }
            loaded[name]?.generation = generation
            return loaded[name]?.head
        }
        if let known { return known }
        do {
            // Small files: reading them here holds nothing up.
            let bundle = try HeadBundle(folder: registry.folder(of: record))
            guard bundle.description.weightsDigest == record.digest else {
                throw WorkbenchError(
                    .corrupt,
                    "Head '\(name)' on disk is not the one that was registered. Remove it with `hidra rm \(name)` and train it again.",
                    details: ["name": name])
            }
            let head = LoadedHead(record: record, bundle: bundle)
            loaded.withLock { $0[name] = Entry(head: head, generation: generation) }
            return head
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }

    func forget(_ name: String) { loaded.withLock { $0[name] = nil } }
}

extension WorkbenchError {
    package init(_ error: HeadError) {
        let code: Code =
            switch error.code {
            case .invalidLabels: .invalidData
            case .invalidSettings: .invalidArgument
            case .corruptBundle: .corrupt
            case .incompatible: .unsupported
            }
        self.init(code, error.message, details: error.details, cause: error)
    }
}
