import Foundation
import Testing

@testable import Hub

@Suite("Files of an encoder")
struct EncoderFilesTests {
    private static let base: Set = ["config.json", "tokenizer.json"]

    private func code(_ work: () throws -> Void) -> HubError.Code? {
        do {
            try work()
            return nil
        } catch {
            return (error as? HubError)?.code
        }
    }

    @Test("Configuration, tokenizer and modules are chosen, everything else is left")
    func chooses() throws {
        let choice = try EncoderFiles.choose(from: Set(HubServer.encoder().keys), source: "x")
        #expect(choice.weights == .single("model.safetensors"))
        #expect(Set(choice.plain + ["model.safetensors"]) == HubServer.needed)
        #expect(choice.plain.first == "config.json")
    }

    @Test("One file of weights is preferred to shards")
    func prefersSingle() throws {
        let both = Self.base.union(["model.safetensors", "model.safetensors.index.json"])
        #expect(try EncoderFiles.choose(from: both, source: "x").weights == .single("model.safetensors"))
        let shards = Self.base.union(["model.safetensors.index.json"])
        #expect(
            try EncoderFiles.choose(from: shards, source: "x").weights
                == .sharded(index: "model.safetensors.index.json"))
    }

    @Test("A graph stands in for weights, and an image encoder needs no tokenizer")
    func otherKinds() throws {
        let graph = try EncoderFiles.choose(
            from: ["tokenizer.json", "onnx/model.onnx", "pytorch_model.bin"], source: "x")
        #expect(graph.weights == .single("onnx/model.onnx") && graph.plain == ["tokenizer.json"])
        #expect(
            try EncoderFiles.choose(from: Self.base.union(["model.safetensors", "model.onnx"]), source: "x").weights
                == .single("model.safetensors"))
        let image = try EncoderFiles.choose(
            from: ["config.json", "preprocessor_config.json", "model.safetensors"], source: "x")
        #expect(image.plain == ["config.json", "preprocessor_config.json"])
        #expect(
            try EncoderFiles.choose(from: ["config.json", "model.safetensors"], source: "x", readsText: false).plain
                == ["config.json"])
    }

    @Test("Weights as a pickle are refused by name", arguments: ["pytorch_model.bin", "model.pt", "weights.ckpt"])
    func refusesPickle(path: String) {
        #expect {
            try EncoderFiles.choose(from: Self.base.union([path]), source: "org/name")
        } throws: { error in
            let error = error as? HubError
            return error?.code == .unsupported && error?.message.contains(path) == true
        }
    }

    @Test(
        "What is missing is named",
        arguments: [
            (["config.json", "model.safetensors"], "tokenizer.json"),
            (["tokenizer.json", "model.safetensors"], "config.json"),
            (["config.json", "tokenizer.json"], "model.safetensors"),
            ([], "model.safetensors"),
        ])
    func namesMissing(paths: [String], missing: String) {
        #expect {
            try EncoderFiles.choose(from: Set(paths), source: "x")
        } throws: { error in
            let error = error as? HubError
            return error?.code == .invalidData && error?.message.contains("no \(missing)") == true
        }
    }

    @Test(
        "Only folders of sentence-transformers' modules are looked into",
        arguments: [
            ("1_Pooling", true), ("12_Dense", true), ("0_Transformer", true), ("_Pooling", false), ("1_", false),
            ("1_Pool/ing", false), ("..", false), ("onnx", false), ("1_Pooling_2", false), ("1_..", false),
        ])
    func knowsModules(name: String, isModule: Bool) {
        #expect(EncoderFiles.isModuleFolder(name) == isModule)
    }

    @Test("Shards are those of the index, in order")
    func readsShards() throws {
        let index = Data(
            #"""
            {"metadata": {"total_size": 8}, "weight_map":
            {"b": "model-2.safetensors", "a": "model-1.safetensors", "c": "model-2.safetensors"}}
            """#.utf8)
        let paths: Set = ["model-1.safetensors", "model-2.safetensors", "model-3.safetensors"]
        #expect(
            try EncoderFiles.shards(inIndex: index, of: paths, source: "x")
                == ["model-1.safetensors", "model-2.safetensors"])
    }

    @Test(
        "An index that names anything but weights of its source is refused",
        arguments: [
            #"{"weight_map": {"a": "../../etc/passwd"}}"#, #"{"weight_map": {"a": "/etc/x.safetensors"}}"#,
            #"{"weight_map": {"a": "sub/x.safetensors"}}"#, #"{"weight_map": {"a": "absent.safetensors"}}"#,
            #"{"weight_map": {"a": "pytorch_model.bin"}}"#, #"{"weight_map": {}}"#, #"{"weight_map": 3}"#, "", "[]",
        ])
    func refusesIndex(text: String) {
        let paths: Set = ["pytorch_model.bin", "sub/x.safetensors", "model-1.safetensors"]
        #expect(
            code { _ = try EncoderFiles.shards(inIndex: Data(text.utf8), of: paths, source: "x") } == .invalidData)
    }
}
