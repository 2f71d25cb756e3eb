/// A plugin in Python, on the package `hidra`.
enum PythonScaffold {
    static let files: [(String, String)] = [
        ("plugin.yaml", manifest), ("plugin.py", plugin), ("test_plugin.py", test), ("README.md", readme),
    ]

    private static let manifest = """
        name: {{name}}
        version: 0.1.0
        description: Sorts messages to a shop.
        command: [python3, plugin.py]
        protocol: {min: 1, max: 1}
        tasks: [classify]
        role: train
        limits: {memory: 2 GB, open_files: 256, processes: 8}
        encoders: [minilm]
        heads: [{{name}}]

        """

    private static let plugin = #"""
        """{{name}}: a Hidra plugin. It trains a head on its rows if the head is not there, or with --train, and stays until told goodbye."""

        import csv
        import sys
        from pathlib import Path

        import hidra

        NAME = HEAD = "{{name}}"
        ENCODER = "minilm"
        EXAMPLES = Path(__file__).parent / "data" / "examples.tsv"


        def examples():
            """The rows to learn from: a text and its label."""
            with open(EXAMPLES, encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file, delimiter="\t"))


        def train(client):
            result = client.train(
                examples(), text="text", label="label", encoder=ENCODER, name=HEAD, holdout=0.2, replace=True, progress=False
            )
            print(f"trained {HEAD} in {result.timings['total']:.1f} s", flush=True)


        def serve(client):
            if "--train" in sys.argv[1:] or HEAD not in [head.name for head in client.heads()]:
                train(client)
            for _ in client.events():  # until the daemon says goodbye
                pass


        if __name__ == "__main__":
            try:
                with hidra.Client(name=f"{NAME} 0.1.0") as client:
                    serve(client)
            except hidra.UnavailableError as goodbye:
                print(goodbye, flush=True)
            except hidra.HidraError as error:
                sys.exit(f"{NAME}: {error}")

        """#

    private static let test = #"""
        """python3 -m unittest"""

        import unittest
        from pathlib import Path

        import plugin


        class Examples(unittest.TestCase):
            def test_every_row_has_a_text_and_a_label(self):
                for row in plugin.examples():
                    self.assertTrue(row["text"].strip() and row["label"].strip(), row)

            def test_there_is_something_to_tell_apart(self):
                self.assertGreaterEqual(len({row["label"] for row in plugin.examples()}), 2)

            def test_the_manifest_names_the_head(self):
                manifest = (Path(__file__).parent / "plugin.yaml").read_text(encoding="utf-8")
                self.assertIn(f"heads: [{plugin.HEAD}]", manifest)


        if __name__ == "__main__":
            unittest.main()

        """#

    private static let readme = """
        # {{name}}

        A Hidra plugin in Python. It brings `data/examples.tsv` and trains the head `{{name}}`, which sorts messages to a shop.

            pip install {{sdk}}/Plugins/python-sdk    # the package hidra, for the python3 that runs the plugin
            python3 -m unittest                       # the plugin's own tests
            hidra plugin test .                       # runs it against a daemon of its own
            hidra plugin install . && hidra plugin start {{name}} --wait
            hidra predict {{name}} "where is my parcel"

        Make it yours: put your rows into `data/examples.tsv`; the label may have any number of values. `train` in `plugin.py` says which
        encoder and what kind of head. After a change: `hidra plugin install . --replace`; the head is trained again when it is not there, so
        `hidra rm {{name}}` first, or add `--train` to `command` in `plugin.yaml`.

        The daemon gives the plugin its folder as working directory, and of the environment only `PATH`, `HOME`, `LANG`, `TMPDIR` and what
        names Hidra's home and the plugin. What it prints is in `hidra plugin logs {{name}}`. `limits` in `plugin.yaml` bound it.

        """
}
