import Foundation
import HidraProtocol
import Hub
import State
import Workbench

extension WorkRequests {
    /// Fetches into a staging folder, verifies, loads once, and only then registers.
    func pull(_ request: Hidra_V1_PullRequest, _ job: JobHandle) async throws -> Answer {
        let source = try PullSource(parsing: request.source)
        let registry = workbench.registry
        let staging = try registry.directory.stage()
        do {
            let fetched = try await Fetcher().fetch(
                source, into: staging, cache: registry.directory.root.appending(path: "downloads"),
                token: request.token.isEmpty ? nil : request.token
            ) { progress in
                var message = Hidra_V1_Progress()
                message.job = job.id
                message.phase = progress.phase.rawValue
                message.done = UInt64(clamping: progress.doneBytes)
                message.total = UInt64(clamping: progress.totalBytes)
                message.unit = "bytes"
                job.report(message)
            }
            let name = request.name.isEmpty ? fetched.name : request.name
            let files = fetched.files.map {
                BundleFile(path: $0.key, bytes: Int($0.value.size), sha256: $0.value.sha256)
            }
            let (record, isNew) = try await workbench.registerEncoder(
                staged: staging, name: name, source: fetched.source, revision: fetched.revision ?? "",
                licence: fetched.licence ?? "", files: files)
            if isNew { events.record("encoder.registered", record.name, ["digest": record.digest]) }
            var reply = Hidra_V1_PullReply()
            reply.encoder = Hidra_V1_Encoder(record)
            reply.fetched = isNew
            return Answer(.pullReply(reply))
        } catch {
            if FileManager.default.fileExists(atPath: staging.path) {
                // Swept at the next start if this fails; the error that matters is the one at hand.
                do { try FileManager.default.removeItem(at: staging) } catch let cleanup {
                    events.record(
                        "warning", request.source, ["message": "\(staging.path): \(cleanup.localizedDescription)"])
                }
            }
            throw error
        }
    }
}
