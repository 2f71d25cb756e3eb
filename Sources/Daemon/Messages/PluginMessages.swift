import HidraProtocol
import PluginHost

extension Hidra_V1_Plugin {
    init(_ status: PluginStatus) {
        self.init()
        name = status.manifest.name
        version = status.manifest.version
        description_p = status.manifest.description
        // A plugin that is being stopped still runs.
        state = status.phase == .stopping ? "running" : status.phase.rawValue
        processID = UInt32(clamping: status.processID)
        restarts = UInt32(clamping: status.restarts)
        directory = status.directory
        command = status.manifest.command
        tasks = status.manifest.tasks
        role = status.manifest.role.rawValue
        started = status.started
        residentBytes = UInt64(clamping: status.residentBytes)
        problem = status.problem
        heads = status.manifest.heads
    }
}
