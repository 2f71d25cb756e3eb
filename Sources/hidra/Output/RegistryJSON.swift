import HidraProtocol

/// The registry's records as `--json` prints them: the protocol's field names, numbers as numbers.
extension Hidra_V1_Encoder {
    var json: JSON {
        .object([
            ("name", .string(name)), ("architecture", .string(architecture)), ("parameters", .unsigned(parameters)),
            ("bytes", .unsigned(bytes)), ("width", .unsigned(UInt64(width))), ("layers", .unsigned(UInt64(layers))),
            ("max_tokens", .unsigned(UInt64(maxTokens))), ("pooling", .string(pooling)), ("source", .string(source)),
            ("revision", .string(revision)), ("licence", .string(licence)), ("digest", .string(digest)),
            ("created", .number(created)), ("modality", .string(modality)), ("taps", .strings(taps)), ("precision", .string(precision)),
        ])
    }
}

extension Hidra_V1_Head {
    var json: JSON {
        .object([
            ("name", .string(name)), ("encoder", .string(encoder)), ("task", .string(task)), ("kind", .string(kind)),
            ("labels", .strings(labels)), ("parameters", .unsigned(parameters)), ("digest", .string(digest)),
            ("created", .number(created)), ("metrics", .map(metrics)), ("run", .string(run)),
            ("tap", .string(tap)), ("modality", .string(modality)), ("inputs", .array(inputs.map(\.json))),
        ])
    }
}

extension Hidra_V1_HeadInput {
    var json: JSON {
        .object([
            ("name", .string(name)), ("encoder", .string(encoder)), ("tap", .string(tap)),
            ("form", .string(form == .states ? "states" : "pooled")), ("column", .string(column)),
        ])
    }
}

extension Hidra_V1_Run {
    var json: JSON {
        .object([
            ("id", .string(id)), ("head", .string(head)), ("encoder", .string(encoder)), ("state", .string(state)),
            ("started", .number(started)), ("ended", ended > 0 ? .number(ended) : .null), ("metrics", .map(metrics)),
            ("message", .string(message)), ("seconds", .map(seconds)), ("configuration", .string(configuration)),
            ("provenance", hasProvenance ? provenance.json : .null),
        ])
    }
}

extension Hidra_V1_RunProvenance {
    var json: JSON {
        .object([
            ("daemon_version", .string(daemonVersion)), ("protocol", .unsigned(UInt64(`protocol`))), ("plugin", .string(plugin)),
            ("seed", .unsigned(seed)), ("data_digest", .string(dataDigest)), ("test_digest", .string(testDigest)),
            ("encoder_digests", .map(encoderDigests)),
            (
                "machine",
                .object([
                    ("processor", .string(machine.processor)), ("cores", .unsigned(UInt64(machine.cores))),
                    ("threads", .unsigned(UInt64(machine.threads))), ("kernels", .string(machine.kernels)),
                    ("memory_bytes", .unsigned(machine.memoryBytes)), ("system", .string(machine.system)),
                ])
            ),
            ("core_seconds", .number(coreSeconds)), ("watts_per_core", .number(wattsPerCore)),
            ("core_hour_price", .number(coreHourPrice)),
        ])
    }
}

extension Hidra_V1_MetricPoint {
    var json: JSON {
        .object([("step", .unsigned(step)), ("name", .string(name)), ("value", .number(value))])
    }
}

extension Hidra_V1_Progress {
    /// Members without the "event" that makes it a line of its own: jobs of `ps` contain them too.
    var members: [(String, JSON)] {
        [
            ("job", .string(job)), ("phase", .string(phase)), ("done", .unsigned(done)), ("total", .unsigned(total)),
            ("unit", .string(unit)), ("metrics", .map(metrics)),
        ] + (note.isEmpty ? [] : [("note", .string(note))])
    }

    var json: JSON { .event("progress", members) }
}

extension Hidra_V1_Job {
    var json: JSON {
        .object([
            ("id", .string(id)), ("kind", .string(kind)), ("subject", .string(subject)),
            ("elapsed_seconds", .number(elapsedSeconds)), ("client", .string(client)),
            ("progress", .object(progress.members)),
        ])
    }
}

extension Hidra_V1_StatusReply {
    var members: [(String, JSON)] {
        [
            ("running", .bool(true)), ("daemon_version", .string(daemonVersion)),
            ("process_id", .unsigned(UInt64(processID))), ("uptime_seconds", .number(uptimeSeconds)),
            ("resident_bytes", .unsigned(residentBytes)), ("home", .string(home)),
            ("threads", .unsigned(UInt64(threads))),
            ("kernels", .string(kernels)), ("clients", .unsigned(UInt64(clients))),
            ("feature_cache_rows", .unsigned(featureCacheRows)), ("feature_cache_bytes", .unsigned(featureCacheBytes)),
            ("waiting_interactive", .unsigned(UInt64(waitingInteractive))),
            ("waiting_training", .unsigned(UInt64(waitingTraining))),
            (
                "encoders",
                .array(
                    encoders.map {
                        .object([
                            ("name", .string($0.name)), ("weight_bytes", .unsigned($0.weightBytes)),
                            ("idle_seconds", .number($0.idleSeconds)),
                        ])
                    })
            ),
            ("jobs", .array(jobs.map(\.json))),
        ]
    }
}

extension Hidra_V1_Event {
    var json: JSON {
        .event(
            "event",
            [
                ("sequence", .unsigned(sequence)), ("time", .number(time)), ("name", .string(name)),
                ("subject", .string(subject)), ("values", .map(values)), ("epoch", .string(epoch)),
            ])
    }
}
