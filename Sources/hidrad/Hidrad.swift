import ArgumentParser
import Daemon
import Foundation
import HidraProtocol
import Logging
import ServiceLifecycle
import UnixSignals

/// The daemon's executable: composes and runs. `hidra` starts it by itself; run it by hand to see its log.
@main
struct Hidrad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hidrad",
        abstract: "Holds pretrained encoders in memory, trains heads on them and serves them.",
        discussion: """
            `hidra` starts the daemon on first use. Started by hand it logs to the terminal; Ctrl-C stops it cleanly.

            Environment:
              HIDRA_HOME      where all state lives (default: ~/.local/share/hidra)
              HIDRA_THREADS   compute threads (default: one for each core)
              HIDRA_KERNELS   portable, avx2, avx512 or neon (default: the best the processor has)
              HIDRA_BATCH_TOKENS   most tokens encoded at a time (default: some 25 milliseconds' worth)
              HIDRA_WATTS_PER_CORE, HIDRA_CORE_HOUR_PRICE   for the estimates in runs' records (default: 10 W; 0.05 dollars)
              HIDRA_LISTEN    as --listen
              HIDRA_QUOTA_OPEN_REQUESTS, …_DATA_BYTES, …_CACHE_BYTES and …_CORE_SECONDS   what one client may use: at a
                              time, or of the last two each day (default: no limit); a key's own quota goes before

            Example: HIDRA_HOME=/data/hidra hidrad --log-level debug
            """,
        version: DaemonService.version)

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Option(
        help: ArgumentHelp(
            "Listen besides at this address and the next two ports, for clients with keys (see `hidra keys`). All of it is encrypted.",
            valueName: "tcp://host:port"))
    var listen: String?

    /// nil: on this machine only.
    private func address() throws -> ServerAddress? {
        guard let text = listen ?? ProcessInfo.processInfo.environment["HIDRA_LISTEN"], !text.isEmpty else { return nil }
        guard let address = ServerAddress(text) else {
            throw ValidationError(
                "--listen (or HIDRA_LISTEN) takes tcp://HOST:PORT with a port up to 65533, e.g. tcp://0.0.0.0:7700; it was \(text).")
        }
        return address
    }

    func validate() throws {
        _ = try address()
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("There is no log level '\(logLevel)'; see `hidrad --help`.")
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "hidrad")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        let service: DaemonService
        do {
            service = try DaemonService(home: .default, environment: ProcessInfo.processInfo.environment, listen: try address(), logger: logger)
        } catch {
            let failure = Failure(error)
            logger.error("\(failure.message)")
            throw ExitCode(failure.code.exitCode)
        }
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        try await ServiceGroup(configuration: configuration).run()
    }
}
