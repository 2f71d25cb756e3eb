/// The two request sockets. Control never waits behind work.
package enum Channel: String, Sendable, CaseIterable {
    case control, work
}

extension Hidra_V1_Envelope {
    /// Where a message of this kind may come from a client; nil for those that only the daemon sends.
    package var requestChannel: Channel? {
        switch kind {
        case .hello, .heartbeat, .cancel, .status, .shutdown, .goodbye, .replay: .control
        case .list, .show, .remove, .appendRows, .dropRows, .pull, .train, .evaluate, .predict, .embed,
            .export, .quantize, .checkGraph, .runGraph, .upload, .openData, .attach, .forward, .forwardBackward,
            .backward, .optimStep, .saveState, .loadState, .detach, .serve, .callResult, .listPlugins, .installPlugin,
            .controlPlugin, .pluginLogs, .createKey, .listKeys, .revokeKey, .startSession, .listSessions, .showSession,
            .watchSession, .controlSession, .learningCurve, .cluster, .suggest,
            .checkData, .compare, .testRows, .exportBundle, .importBundle, .pretrain, .latent:
            .work
        case .error, .welcome, .cancelReply, .statusReply, .shutdownReply, .replayReply, .listReply, .showReply,
            .removeReply, .appendRowsReply, .dropRowsReply, .pullReply, .trainReply, .evaluateReply, .predictReply,
            .embedReply, .exportReply, .quantizeReply, .checkGraphReply, .runGraphReply, .uploadReply, .openDataReply,
            .attachReply, .forwardReply, .forwardBackwardReply, .backwardReply, .optimStepReply, .saveStateReply,
            .loadStateReply, .detachReply, .serveReply, .call, .listPluginsReply, .installPluginReply,
            .controlPluginReply, .pluginLogsReply, .pluginLog, .createKeyReply, .listKeysReply, .revokeKeyReply,
            .startSessionReply, .listSessionsReply, .showSessionReply, .watchSessionReply, .controlSessionReply,
            .sessionProgress, .learningCurveReply, .clusterReply, .suggestReply,
            .checkDataReply, .compareReply, .testRowsReply, .exportBundleReply, .importBundleReply, .pretrainReply, .latentReply,
            .progress, .event, nil:
            nil
        }
    }

    /// Whether more replies to the same request follow.
    package var isPartial: Bool { part.rawValue == 1 }

    /// A reply that others follow.
    package static func partial(to request: UInt64, _ kind: OneOf_Kind) -> Hidra_V1_Envelope {
        var envelope = reply(to: request, kind)
        if let partial = Hidra_V1_Part(rawValue: 1) { envelope.part = partial }
        return envelope
    }

    /// The last, or only, reply.
    package static func reply(to request: UInt64, _ kind: OneOf_Kind) -> Hidra_V1_Envelope {
        var envelope = Hidra_V1_Envelope()
        envelope.requestID = request
        envelope.kind = kind
        return envelope
    }

    package static func failure(
        of request: UInt64, _ code: ErrorCode, _ message: String, details: [String: String] = [:]
    ) -> Hidra_V1_Envelope {
        var error = Hidra_V1_Error()
        error.code = code.rawValue
        error.message = message
        error.details = details
        return reply(to: request, .error(error))
    }
}
