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
              HIDRA_KERNELS   portable, avx2 or avx512 (default: the best the processor has)
              HIDRA_BATCH_TOKENS   most tokens encoded at a time (default: some 25 milliseconds' worth)

            Example: HIDRA_HOME=/data/hidra hidrad --log-level debug
            """,
        version: DaemonService.version)

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    func validate() throws {
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
            service = try DaemonService(home: .default, environment: ProcessInfo.processInfo.environment, logger: logger)
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
