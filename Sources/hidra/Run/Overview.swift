/// Texts of `hidra` and `hidra --help`.
enum Overview {
    static let short = """
        hidra \(Hidra.version): train and use many task heads on one shared pretrained encoder.

          hidra pull minilm                       fetch an encoder and register it
          hidra train tickets.csv --text message --label intent --encoder minilm --name intent
          hidra predict intent "my card has not arrived"
          hidra ls                                what there is

        Further verbs: embed, eval, check, compare, plot, cost, export, import, show, rm, plugin, keys, start, stop, status, ps, events, doctor.
        `hidra --help` describes them; `hidra VERB --help` gives options and an example.
        """

    static let discussion = """
        An encoder (a pretrained network) is fetched once; heads for tasks of your own are trained on it in seconds. \
        The daemon `hidrad` holds encoders in memory and starts by itself when a verb needs it; its state is in HIDRA_HOME \
        (default: ~/.local/share/hidra).

        Results go to standard output; progress, notes and errors to standard error. With --json every verb prints one \
        JSON object a line: {"event":"progress",…} while it works, then {"event":"result",…} or {"event":"error",…}.

        EXAMPLE:
          hidra pull minilm
          hidra train tickets.csv --text message --label intent \\
              --encoder minilm --name intent
          hidra predict intent "my card has not arrived"

        EXIT CODES:
           0  done
           1  the daemon failed
           2  wrong arguments
           3  no such encoder, head, run or file
           4  bad data
           5  already exists, or in use
           6  the daemon cannot be reached, or is not running
           7  time-out
           8  cancelled or interrupted
           9  no space, or a limit exceeded
          10  corrupt or unsupported file
        """
}
