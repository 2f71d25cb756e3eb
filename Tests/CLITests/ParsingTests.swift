import ArgumentParser
import Foundation
import HidraProtocol
import Testing

@testable import hidra

/// The error of a command line that must not parse.
private func rejection(_ arguments: [String]) -> String {
    do {
        try UnknownVerb.check(arguments)
        _ = try Hidra.parseAsRoot(arguments)
        return ""
    } catch {
        return Hidra.exitCode(for: error) == .validationFailure
            ? Hidra.fullMessage(for: error) : "no usage error: \(error)"
    }
}

private let train = ["train", "t.csv", "--text", "m", "--label", "l", "--encoder", "minilm", "--name", "bank"]

@Suite("The command line")
struct ParsingTests {
    @Test("Train's options arrive in the request, and what was not given stays the daemon's default")
    func trainRequest() throws {
        let plain = try #require(try Hidra.parseAsRoot(train) as? Train).request()
        #expect(plain.head == "bank")
        #expect(plain.encoder == "minilm")
        #expect(plain.task == .classify)
        #expect(plain.inputColumn == "m")
        #expect(plain.labelColumn == "l")
        #expect(plain.kind.name == "linear")
        #expect(plain.hyperparameters == Hidra_V1_Hyperparameters())
        #expect(plain.tap.isEmpty)
        #expect(!plain.replace)
        #expect(plain.holdout == 0)

        let options = [
            "--task", "multilabel", "--head", "mlp", "--hidden", "64", "--dropout", "0.1", "--epochs", "3", "--lr",
            "0.01",
            "--batch-size", "32", "--seed", "7", "--weight-decay", "0.1", "--patience", "2", "--label-smoothing",
            "0.05",
            "--class-weights", "--tap", "0", "--holdout", "0.25", "--replace", "--label-separator", ";",
        ]
        let full = try #require(try Hidra.parseAsRoot(train + options) as? Train).request()
        #expect(full.task == .multilabel)
        #expect(full.kind.name == "mlp")
        #expect(full.kind.hidden == 64)
        #expect(full.kind.dropout == 0.1)
        #expect(full.hyperparameters.epochs == 3)
        #expect(full.hyperparameters.learningRate == 0.01)
        #expect(full.hyperparameters.batchSize == 32)
        #expect(full.hyperparameters.seed == 7)
        #expect(full.hyperparameters.weightDecay == 0.1)
        #expect(full.hyperparameters.patience == 2)
        #expect(full.hyperparameters.labelSmoothing == 0.05)
        #expect(full.hyperparameters.classWeights)
        #expect(full.tap == "0")
        #expect(full.holdout == 0.25)
        #expect(full.replace)
        #expect(full.labelSeparator == ";")
    }

    @Test("Several columns, and inputs by name, arrive in the request")
    func inputs() throws {
        let ordered = try #require(try Hidra.parseAsRoot(train + ["--text", "o", "--head", "n.onnx"]) as? Train)
        #expect(ordered.rows.inputColumns == ["m", "o"])
        let input = try #require(HeadInputOption(argument: "a=first, second,tap=3,encoder=e"))
        #expect(input.name == "a" && input.column == "first, second" && input.encoder == "e" && input.tap == "3")
        #expect(input.wire.column == "first, second" && input.wire.form == .unspecified)
        let plain = try #require(HeadInputOption(argument: "a=b=c"))
        #expect(plain.name == "a" && plain.column == "b=c" && plain.encoder.isEmpty)
        for wrong in ["a", "=b", "a=", "a=b,tap=", "a=b,tap=1,tap=2", "a=,tap=1"] {
            #expect(HeadInputOption(argument: wrong) == nil, "\(wrong)")
        }
    }

    @Test("Searches, joined encoders and few labels arrive in the request")
    func settings() throws {
        func request(_ options: [String]) throws -> Hidra_V1_TrainRequest {
            try #require(try Hidra.parseAsRoot(train + options) as? Train).request()
        }
        #expect(try !request([]).hasSearch)
        #expect(try request(["--search"]).search.configurations == 30)
        #expect(try request(["--search", "12"]).search.configurations == 12)
        let joined = try request(["--encoder", "other", "--fusion", "cross-attention", "--hidden", "64"])
        #expect(joined.kind.name == "cross-attention" && joined.kind.hidden == 64)
        #expect(joined.inputs.map(\.encoder) == ["minilm", "other"] && joined.inputs.map(\.column) == ["m", "m"])
        let pairs = try request(["--text", "o", "--fusion", "gate"])
        #expect(pairs.inputs.map(\.column) == ["m", "o"] && pairs.inputs.map(\.encoder) == ["minilm", "minilm"])
        let own = try request(["--unlabelled", "u.csv", "--confidence", "0.8", "--rounds", "2"])
        #expect(own.selfTraining.confidence == 0.8 && own.selfTraining.rounds == 2)
        let few = try request(["--few-shot", "--tune-layers", "2", "--pairs", "5", "--tuned-encoder", "t"])
        #expect(few.contrastive.layers == 2 && few.contrastive.iterations == 5 && few.contrastive.encoder == "t")
        #expect(ClusterCount(argument: "auto") == .auto && ClusterCount(argument: "12") == .fixed(12) && ClusterCount(argument: "0") == nil)
        #expect(CSVLine.text(["a", "b,c", "d\"e", "f\ng"]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\"\n")
    }

    @Test("--lr auto leaves the choice to the daemon")
    func automaticRate() throws {
        let command = try #require(try Hidra.parseAsRoot(train + ["--lr", "auto"]) as? Train)
        #expect(try command.request().hyperparameters.learningRate == 0)
    }

    @Test(
        "What contradicts itself is refused before anything is read",
        arguments: [
            (train + ["--test", "x.csv", "--holdout", "0.2"], "--holdout"),
            (train + ["--holdout", "1"], "0 to below 1"),
            (train + ["--hidden", "4"], "--head mlp"),
            (train + ["--head", "mlp", "--dropout", "1"], "--dropout"),
            (train + ["--epochs", "0"], "--epochs"),
            (train + ["--lr", "-1"], "--lr"),
            (train + ["--timeout", "0"], "--timeout"),
            (train + ["--search", "0"], "--search"),
            (train + ["--confidence", "0.9"], "--unlabelled"),
            (train + ["--unlabelled", "u.csv", "--confidence", "1.5"], "--confidence"),
            (train + ["--tune-layers", "2"], "--few-shot"),
            (train + ["--encoder", "other"], "--fusion"),
            (train + ["--fusion", "gate"], "two encoders"),
            (train + ["--encoder", "other", "--fusion", "gate", "--head", "mlp"], "--head"),
            (["suggest", "h", "t.csv", "0", "--text", "m"], "1 or more"),
            (["cluster", "t.csv", "--text", "m", "--encoder", "e", "-k", "0"], "-k"),
            (["learning-curve", "t.csv", "--text", "m", "--label", "l", "--encoder", "e", "--share", "2"], "--share"),
            (["train", "-", "--text", "m", "--label", "l", "--encoder", "e", "--name", "n"], "--format"),
            (["train", "t.csv", "--text", "m", "--label", "m", "--encoder", "e", "--name", "n"], "same column"),
            (["train", "t.csv", "--text", "m", "--label", "l", "--encoder", "e"], "--name"),
            (["train", "t.csv", "--label", "l", "--encoder", "e", "--name", "n"], "--text"),
            (["train", "t.csv", "--text", "m", "--label", "l", "--name", "n"], "--encoder"),
            (train + ["--text", "m"], "twice"),
            (train + ["--text", "o"], "--head FILE.onnx"),
            (train + ["--head", "n.onnx", "--input", "a=m"], "--text and --input"),
            (
                ["train", "t.csv", "--label", "l", "--name", "n", "--head", "n.onnx", "--input", "a=m,encoder=e", "--input", "b=m"],
                "--encoder"
            ),
            (["train", "t.csv", "--label", "m", "--encoder", "e", "--name", "n", "--head", "n.onnx", "--input", "a=m"], "same column"),
            (["train", "t.csv", "--label", "l", "--encoder", "e", "--name", "n", "--head", "n.onnx", "--input", "a"], "--input"),
            (["train", "p/", "--image", "--encoder", "e", "--name", "n", "--head", "n.onnx", "--input", "a=x"], "NAME=image"),
            (["eval", "bank", "-", "--text", "m", "--label", "l"], "--format"),
            (["predict", "a", "--top", "0"], "--top"),
            (["predict", "a,,b", "text"], "a,,b"),
            (["predict", "a,a", "text"], "a,a"),
            (["predict", "a", "text", "--file", "f.txt"], "not both"),
            (["predict", "a", "text", "--column", "c"], "--column"),
            (["predict", "a", "--column", "c"], "--file"),
            (["embed", "e", "--tap", "-1"], "--tap"),
            (["stop", "--grace", "-1"], "--grace"),
            (["rm"], "name"),
            (["show"], "name"),
            (["trian"], "Did you mean 'hidra train'?"),
            (["xyzzy"], "There is no verb 'xyzzy'."),
        ])
    func refused(arguments: [String], mention: String) {
        #expect(rejection(arguments).contains(mention))
    }

    @Test("Several heads come from one argument")
    func heads() throws {
        let command = try #require(try Hidra.parseAsRoot(["predict", "intent, urgency", "hello"]) as? Predict)
        #expect(command.heads.names == ["intent", "urgency"])
        #expect(command.texts.texts == ["hello"])
    }

    @Test("A text that begins with a dash goes after --")
    func dashes() throws {
        let command = try #require(try Hidra.parseAsRoot(["predict", "a", "--", "-5 degrees"]) as? Predict)
        #expect(command.texts.texts == ["-5 degrees"])
    }

    @Test(
        "Usage errors exit with 2, help and version with 0",
        arguments: [
            ("trian", Int32(2)), ("train --nonsense", 2), ("--version", 0), ("predict --help", 0), ("help rm", 0),
            ("", 0),
        ])
    func exitCodes(line: String, code: Int32) async {
        #expect(await Hidra.run(line.split(separator: " ").map(String.init)) == code)
    }
}

@Suite("Graphs on the command line")
struct GraphArgumentTests {
    @Test("an input is a name and a file, either of which may hold an equals sign")
    func inputs() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "graph-\(UUID().uuidString)=x")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let file = folder.appending(path: "a.npy")
        try Data().write(to: file)
        let plain = try #require(GraphInput(argument: "x=a.npy"))
        #expect(plain.name == "x" && plain.path == "a.npy")
        let odd = try #require(GraphInput(argument: "x=y=\(file.path)"))
        #expect(odd.name == "x=y" && odd.path == file.path)
        for wrong in ["x", "=a.npy", "x="] { #expect(GraphInput(argument: wrong) == nil, "\(wrong)") }
    }

    @Test("outputs become file names that are safe and differ")
    func fileNames() {
        #expect(
            GraphRun.fileNames(["y", "/encoder/out", "..", "", "y", String(repeating: "n", count: 300)])
                == ["y", "_encoder_out", "output", "output_2", "y_2", "output_3"])
    }

    @Test("a head is linear, an mlp or an ONNX file; anything else is refused")
    func kinds() {
        #expect(HeadNetworkOption(argument: "net.onnx") == .graph(path: "net.onnx"))
        #expect(HeadNetworkOption(argument: "mlp") == .mlp && HeadNetworkOption(argument: "tree") == nil)
        #expect(SymbolSize(argument: "sequence=128")?.extent == 128 && SymbolSize(argument: "sequence=0") == nil)
    }
}

@Suite("Help")
struct HelpTests {
    private static let verbs = Hidra.configuration.groupedSubcommands.flatMap { $0.subcommands }
    /// What does something, with the words that name it: `graph` is only a roof.
    private static let leaves: [(name: String, verb: any ParsableCommand.Type)] = verbs.flatMap { verb in
        let name = verb.configuration.commandName ?? "", inner = verb.configuration.subcommands
        return inner.isEmpty ? [(name, verb)] : inner.map { ("\(name) \($0.configuration.commandName ?? "")", $0) }
    }

    @Test("Every verb of the interface is there")
    func verbs() {
        let names = Set(Self.verbs.compactMap { $0.configuration.commandName })
        #expect(
            names == [
                "pull", "train", "predict", "embed", "eval", "learning-curve", "cluster", "suggest", "quantize", "ls", "ps", "show", "rm", "start", "stop", "status",
                "events",
                "doctor", "graph", "export", "plugin", "keys", "check", "compare", "cost", "plot", "import", "session", "pretrain", "latent",
            ])
    }

    @Test("Every verb takes --json and --timeout, and shows an example and its exit codes")
    func texts() {
        for (name, verb) in Self.leaves {
            let help = verb.helpMessage(columns: 200)
            #expect(help.contains("--json") && help.contains("--timeout"), "\(name)")
            #expect(help.contains("EXAMPLE:\n  hidra \(name)"), "\(name)")
            #expect(help.contains("EXIT CODES: 0"), "\(name)")
        }
    }

    @Test("Examples fit into 80 columns")
    func examples() {
        let texts = Self.verbs.map { $0.configuration.discussion } + [Overview.discussion, Overview.short]
        for text in texts {
            for line in text.split(separator: "\n") where line.hasPrefix("  ") {
                #expect(line.count <= 88, "\(line)")
            }
        }
    }

    @Test("The overview lists every exit code there is")
    func overview() {
        for code in Set(ErrorCode.exitCodes.values).union([0]) {
            let width = code < 10 ? "   \(code)  " : "  \(code)  "
            #expect(Overview.discussion.contains("\n\(width)"), "\(code)")
        }
    }
}
