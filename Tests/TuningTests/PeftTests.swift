import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import TensorCore
@testable import Training
@testable import Tuning

/// PEFT itself, in the Python of `HIDRA_PYTHON`, else `python3`.
private enum Peft {
    static let isInstalled = (try? run(["-c", "import peft, transformers, torch"])) != nil

    struct Failure: Error, CustomStringConvertible { let description: String }

    static func run(_ arguments: [String]) throws {
        let process = Process(), errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["HIDRA_PYTHON"] ?? "python3"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: String(decoding: text.suffix(2000), as: UTF8.self)) }
    }

    /// Top hidden states of one sequence of `tiny` with an adapter upon it; or first makes an adapter with random B.
    static let script = """
        import json, sys, torch
        from peft import LoraConfig, PeftModel, get_peft_model
        from safetensors.torch import save_file
        from transformers import AutoModel
        torch.manual_seed(0)
        mode, base, adapter, ids, out = sys.argv[1:]
        model = AutoModel.from_pretrained(base)
        if mode == "make":
            model = get_peft_model(model, LoraConfig(
                r=2, lora_alpha=5, use_rslora=True, layers_to_transform=[1],
                target_modules=["query", "intermediate.dense", "output.dense"]))
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    torch.nn.init.normal_(parameter, std=0.3)
            model.save_pretrained(adapter)
        else:
            model = PeftModel.from_pretrained(model, adapter)
        model.eval()
        with torch.no_grad():
            states = model(input_ids=torch.tensor([json.loads(ids)])).last_hidden_state[0]
        save_file({"states": states.contiguous()}, out)
        """
}

@Suite("PEFT's format", .enabled(if: Peft.isInstalled, "needs Python with peft, transformers and torch (HIDRA_PYTHON)"))
struct PeftTests {
    private let tiny: TinyTuning

    init() throws { tiny = try TinyTuning() }

    private func states(_ mode: String, _ adapter: URL, _ text: TokenizedText) throws -> Tensor {
        let out = tiny.folder.url.appending(path: "states.safetensors")
        try Peft.run([
            "-c", Peft.script, mode, tiny.folder.url.path, adapter.path, "\(text.ids)", out.path,
        ])
        return try Safetensors(out).tensor("states")
    }

    static let tunings = [
        TinyTuning.lora, FineTuning(lowRank: .init(rank: 2, alpha: 4)),
        FineTuning(lowRank: .init(rank: 2, alpha: 3, targets: [.output, .key], top: 1)),
        FineTuning(lowRank: .init(rank: 1, alpha: 2, targets: [.attentionOutput, .intermediate])),
    ]

    @Test("what is trained here, PEFT loads and computes alike", arguments: tunings)
    func written(_ tuning: FineTuning) throws {
        let body = try tiny.body(tuning)
        try tiny.train(body)
        let folder = try tiny.write(body), text = tiny.texts[3]
        let expected = try states("load", folder, text)
        let adapted = try AdaptedFolder.load(folder, base: tiny.encoder)
        let worst = difference(adapted.states([text], tap: 2), expected, absolute: 2e-5, relative: 1e-4)
        #expect(worst.isWithinTolerance, "\(tuning): \(worst)")
        let frozen = difference(tiny.encoder.states([text], tap: 2), expected, absolute: 1e-3, relative: 0)
        #expect(!frozen.isWithinTolerance, "the adapter changes nothing")
    }

    @Test("what PEFT has saved is loaded here and computes alike")
    func read() throws {
        let adapter = tiny.folder.url.appending(path: "peft"), text = tiny.texts[5]
        let expected = try states("make", adapter, text)
        let folder = tiny.folder.url.appending(path: "adopted")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try AdaptedFolder.adopt(peft: adapter, base: "tiny", digest: "d", to: folder)
        #expect(try AdaptedFolder.base(folder).cut == 1)
        let adapted = try AdaptedFolder.load(folder, base: tiny.encoder)
        let worst = difference(adapted.states([text], tap: 2), expected, absolute: 2e-5, relative: 1e-4)
        #expect(worst.isWithinTolerance, "\(worst)")
    }
}
