import HidraProtocol

/// What `cost` prints: a run's own cost, and what training its encoder from scratch would have taken.
struct CostReport {
    /// Name of the run or head, with what it took; nil: only stated numbers.
    var run: (name: String, cost: RunCost)?
    var encoder: (name: String, parameters: Double, tokens: Double, known: EncoderTraining?)?
    let accelerators: Accelerators
    let scratch: TrainingCost?
    /// Why the second part is missing.
    var note: String?

    func render(style: Style) -> String {
        var text = ""
        if let run {
            var facts = Facts()
            facts.add("here", style.bold(run.name))
            facts.add("core-seconds", Format.metric(run.cost.coreSeconds))
            facts.add("energy", "\(Self.energy(run.cost.energy)), estimated at \(Format.metric(run.cost.wattsPerCore)) W a core")
            facts.add("money", "\(Self.money(run.cost.money)) at \(Self.money(run.cost.coreHourPrice)) a core-hour")
            text += facts.render(style: style)
        }
        if let scratch {
            var facts = Facts()
            if let encoder {
                facts.add("from scratch", style.bold(encoder.name))
                facts.add("parameters", Format.parameters(UInt64(encoder.parameters)))
                facts.add("tokens", Self.large(encoder.tokens))
                facts.add("operations", "6 · N · D = \(Format.scientific(scratch.operations))")
            } else {
                facts.add("from scratch", style.bold("as stated"))
            }
            facts.add(
                "GPU-hours",
                (scratch.gpuHours < 1000 ? Format.metric(scratch.gpuHours) : Format.count(UInt64(min(scratch.gpuHours.rounded(), 1e15))))
                    + (encoder == nil
                        ? "" : " at \(Format.metric(accelerators.peak / 1e12)) TFLOP/s, of which \(Format.metric(accelerators.utilisation * 100)) % are reached"))
            facts.add("time", "\(Self.days(scratch.days)) on \(Format.count(UInt64(accelerators.count), "GPU"))")
            facts.add("money", "\(Self.money(scratch.money)) at \(Self.money(accelerators.hourPrice)) a GPU-hour")
            text += (text.isEmpty ? "" : "\n") + facts.render(style: style)
            if let known = encoder?.known { text += "\nTokens: \(known.source). Counted: \(known.caveat).\n" }
        }
        if let run, let scratch, run.cost.money > 0, run.cost.coreSeconds > 0 {
            text += "\nA head on the frozen encoder: a \(Self.large(scratch.money / run.cost.money))th of the money.\n"
        }
        return text
    }

    static func money(_ dollars: Double) -> String {
        switch dollars {
        case 1000...: "$\(Format.count(UInt64(dollars.rounded())))"
        case 0.01...: "$\(Format.fixed(dollars, 2))"
        case 0: "$0"
        default: "$\(Format.scientific(dollars))"
        }
    }

    static func energy(_ wattHours: Double) -> String {
        switch wattHours {
        case 1e6...: "\(Format.metric(wattHours / 1e6)) MWh"
        case 1e3...: "\(Format.metric(wattHours / 1e3)) kWh"
        case 1...: "\(Format.metric(wattHours)) Wh"
        default: "\(Format.metric(wattHours * 1e3)) mWh"
        }
    }

    static func days(_ days: Double) -> String {
        days >= 1 ? "\(Format.fixed(days, 1)) days" : Format.duration(days * 86_400)
    }

    static func large(_ value: Double) -> String { value < 1e6 ? Format.count(UInt64(max(0, value.rounded()))) : Format.scientific(value) }

    /// Members of the line of `--json`.
    var members: [(String, JSON)] {
        var members: [(String, JSON)] = []
        if let run {
            members.append((
                "run",
                .object([
                    ("name", .string(run.name)), ("core_seconds", .number(run.cost.coreSeconds)),
                    ("watts_per_core", .number(run.cost.wattsPerCore)), ("watt_hours", .number(run.cost.energy)),
                    ("core_hour_price", .number(run.cost.coreHourPrice)), ("dollars", .number(run.cost.money)),
                ])
            ))
        }
        if let scratch {
            var object: [(String, JSON)] = []
            if let encoder {
                object += [
                    ("encoder", .string(encoder.name)), ("parameters", .number(encoder.parameters)), ("tokens", .number(encoder.tokens)),
                    ("source", .string(encoder.known?.source ?? "stated")),
                ]
            }
            object += [
                ("operations", .number(scratch.operations)), ("gpu_hours", .number(scratch.gpuHours)),
                ("gpus", .number(accelerators.count)), ("days", .number(scratch.days)), ("dollars", .number(scratch.money)),
                ("peak_flops", .number(accelerators.peak)), ("utilisation", .number(accelerators.utilisation)),
                ("gpu_hour_price", .number(accelerators.hourPrice)),
            ]
            members.append(("from_scratch", .object(object)))
        }
        return members
    }
}
