import ArgumentParser

/// Several heads trained together.
struct SessionVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Train several heads together, and what they share of the encoder.",
        discussion: """
            One file says what is trained: heads, data, encoders, and whether adapters or top layers of the encoder are trained with them. \
            A session runs in the daemon, goes on after the daemon was killed, and comes to the same bytes.

            EXAMPLE:
              hidra session validate triage.yaml
              hidra session start triage.yaml
              hidra session watch triage
              hidra predict intent,tone "my card has not arrived"
            """,
        subcommands: [
            SessionInit.self, SessionValidate.self, SessionStart.self, SessionLs.self, SessionShow.self, SessionWatch.self, SessionPause.self,
            SessionResume.self, SessionCancel.self, SessionCompare.self, SessionRm.self,
        ])
}
