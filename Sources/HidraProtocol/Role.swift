/// What a client may do. Each role may also do what those before it may.
public enum Role: String, Sendable, CaseIterable, Comparable {
    /// Ask: the registry, predictions, embeddings.
    case infer
    /// Send data, train heads, follow events.
    case train
    /// Everything.
    case admin

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

    /// Who may subscribe to events: whoever may have them replayed.
    package static let ofEvents = Role.train
}

extension Hidra_V1_Envelope.OneOf_Kind {
    /// The least role that may send a message of this kind; nil for those that only the daemon sends. The one table of rights: a new kind
    /// does not compile without a row.
    package var leastRole: Role? {
        switch self {
        // A connection's own affairs. A job of somebody else's is cancelled by admins only.
        case .hello, .heartbeat, .goodbye, .cancel: .infer
        case .list, .show, .predict, .embed: .infer

        case .appendRows, .dropRows, .upload, .openData: .train
        case .train, .evaluate, .export, .checkGraph, .runGraph: .train
        case .attach, .forward, .forwardBackward, .backward, .optimStep, .saveState, .loadState, .detach: .train
        case .serve, .callResult: .train
        case .learningCurve, .cluster, .suggest: .train
        // Test rows' digests, labels and predictions are nothing the registry shows everybody.
        case .checkData, .compare, .testRows, .exportBundle, .importBundle: .train
        case .replay: .ofEvents
        // To control somebody else's session takes an admin, as with jobs.
        case .startSession, .listSessions, .showSession, .watchSession, .controlSession: .train
        // To compare is one thing, to switch the encoder for everybody another.
        case .quantize(let quantize): quantize.precision.isEmpty ? .train : .admin

        case .pretrain: .train
        // A direction is kept with the encoder, for everybody.
        case .latent(let latent): latent.verb == "learn" ? .train : .infer

        // Shows everybody's jobs, and where the home is.
        case .status: .admin
        case .shutdown, .remove, .pull: .admin
        case .listPlugins, .installPlugin, .controlPlugin, .pluginLogs: .admin
        case .createKey, .listKeys, .revokeKey: .admin

        case .error, .welcome, .cancelReply, .statusReply, .shutdownReply, .replayReply, .listReply, .showReply,
            .removeReply, .appendRowsReply, .dropRowsReply, .pullReply, .trainReply, .evaluateReply, .predictReply,
            .embedReply, .exportReply, .quantizeReply, .checkGraphReply, .runGraphReply, .uploadReply, .openDataReply,
            .attachReply, .forwardReply, .forwardBackwardReply, .backwardReply, .optimStepReply, .saveStateReply,
            .loadStateReply, .detachReply, .serveReply, .call, .listPluginsReply, .installPluginReply,
            .controlPluginReply, .pluginLogsReply, .pluginLog, .createKeyReply, .listKeysReply, .revokeKeyReply,
            .startSessionReply, .listSessionsReply, .showSessionReply, .watchSessionReply, .controlSessionReply,
            .sessionProgress, .learningCurveReply, .clusterReply, .suggestReply,
            .checkDataReply, .compareReply, .testRowsReply, .exportBundleReply, .importBundleReply, .pretrainReply, .latentReply,
            .progress, .event:
            nil
        }
    }

    /// Has the daemon read a file of its own machine, so that only clients there may ask for it, whatever their role.
    package var readsFilesOfTheDaemon: Bool {
        switch self {
        case .pull(let pull): pull.namesFolder
        case .openData(let open): if case .path = open.file { true } else { false }
        case .installPlugin: true
        default: false
        }
    }
}

extension Hidra_V1_PullRequest {
    /// Whatever is not plainly a name of the catalogue or a repository of the hub. Only ASCII counts as plain: with combining characters or
    /// odd spaces the same text can begin with `hf:` in one reading and not in another.
    fileprivate var namesFolder: Bool {
        let isHub = source.utf8.starts(with: "hf:".utf8)
        let plain = source.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            case UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "@"): isHub
            default: false
            }
        }
        return !plain || source.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}
