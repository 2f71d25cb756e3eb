import Checkpoints
import Foundation
import State
import TensorCore
import TestSupport
import Testing

@testable import Heads
@testable import Training
@testable import Workbench

@Suite("A run that breaks")
struct BrokenRunTests {
    @Test("names the step and the row, is recorded as failed, and leaves the last good weights in its folder")
    func notFinite() async throws {
        let folder = try TemporaryFolder()
        let workbench = try Workbench.open(folder.url.appending(path: "home")).workbench
        let staged = try workbench.registry.directory.stage()
        try TinyEncoder.write(to: staged)
        try spoil(staged.appending(path: "model.safetensors"))
        _ = try await workbench.registerEncoder(
            staged: staged, name: "tiny", source: "test", revision: "", licence: "", files: try BundleFile.list(staged))
        // Only the last row has the letter whose embedding is no number.
        let texts = (0..<60).map { ["aa", "bb"][$0 % 2] + " c" } + ["z"]
        let rows = LabelledRows(texts: texts, labels: (0..<61).map { ["a", "b"][$0 % 2] })
        var request = TrainingRequest(head: "broken", encoder: "tiny", rows: rows)
        request.settings.validation = 0
        request.settings.learningRate = 0.01
        let error = await #expect(throws: WorkbenchError.self) { try await workbench.train(request) }
        #expect(error?.details["step"] == "1" && error?.details["tensor"] == "loss", "\(String(describing: error))")
        #expect(error?.details["row"] == "61" && error?.message.contains("remove or repair") == true)
        let place = URL(filePath: try #require(error?.details["last_good"]))
        let bundle = try HeadBundle(folder: place)
        #expect(bundle.network.parameters.allSatisfy { $0.value.values.allSatisfy(\.isFinite) })
        #expect(try await workbench.registry.runs().first?.state == .failed)
        try await workbench.close()
    }

    /// Makes the embedding of "z" a row of NaNs.
    private func spoil(_ url: URL) throws {
        let file = try Safetensors(url)
        var tensors: [String: Tensor] = [:]
        for name in file.names { tensors[name] = Tensor(try file.tensor(name).values, try file.tensor(name).shape) }
        let name = "embeddings.word_embeddings.weight"
        let table = try #require(tensors[name]), width = table.shape[1]
        let row = try #require(TinyEncoder.words.firstIndex(of: "z"))
        for i in 0..<width { table.mutablePointer[row * width + i] = .nan }
        try SafetensorsWriter.encode(tensors).write(to: url)
    }
}
