#!/usr/bin/env python3
"""Measures Hidra on this machine, and what users would pick instead, in turn and in one sitting.

    make bench                                   Hidra alone
    PEERS_PYTHON=/path/to/python make bench      and PyTorch, sentence-transformers, onnxruntime, scikit-learn of that Python
    python3 Tests/Benchmarks/bench.py --only encode,serve --pairs 3

Needs a built Hidra and its encoder in HIDRA_HOME (as `make bench` has them) and texts: HIDRA_DATA (default ../shared/data) with banking77.
Every figure is the median of `--pairs` rounds; in each round Hidra and its peers are measured one after the other. Results go to
Tests/Benchmarks/results.json and results.md. Quote ratios: shared machines drift.
"""
import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.join(ROOT, ".build", "release")
HOME = os.environ.get("HIDRA_HOME", os.path.join(ROOT, ".build", "home"))
DATA = os.path.join(os.environ.get("HIDRA_DATA", os.path.join(ROOT, "..", "shared", "data")), "banking77")
MODEL = os.path.join(HOME, "encoders", "minilm")
PEERS = os.environ.get("PEERS_PYTHON")
TEXT = "What can I do if my card still hasn't arrived after two weeks?"
LIMIT = 2000


def run(*command, home=HOME, check=True):
    """Standard output's JSON lines."""
    environment = dict(os.environ, HIDRA_HOME=home, HIDRA_DAEMON=os.path.join(BIN, "hidrad"))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if check and done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def hidra(*arguments, home=HOME):
    return run(os.path.join(BIN, "hidra"), *arguments, home=home)


def bench(*arguments):
    return run(os.path.join(BIN, "hidra-bench"), *arguments)


class Rounds:
    """Figures by (measure, program), a value for each round."""

    def __init__(self):
        self.values, self.units, self.order = {}, {}, []

    def add(self, measure, program, value, unit):
        if measure not in self.order:
            self.order.append(measure)
        self.units[measure] = unit
        self.values.setdefault((measure, program), []).append(float(value))
        print(f"{measure} | {program} | {value:.4g} {unit}", flush=True)

    def median(self, measure, program):
        values = self.values.get((measure, program))
        return statistics.median(values) if values else None

    def ratios(self, measure, program):
        """Hidra over the program, round by round."""
        ours, theirs = self.values.get((measure, "hidra"), []), self.values.get((measure, program), [])
        return [a / b for a, b in zip(ours, theirs) if b]


class Peer:
    """A process of peers_text.py that stays, so that loading is not measured."""

    def __init__(self):
        self.process = subprocess.Popen(
            [PEERS, os.path.join(HERE, "peers_text.py"), MODEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=peer_environment())

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench: peers_text.py ended; run it by hand to see why")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peer_environment():
    """Without settings that are ours alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}


def encode(rounds, pairs, peer):
    with open(os.path.join(DATA, "train.csv"), newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:LIMIT]
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(texts, file)
    for _ in range(pairs):
        for precision, rivals in (("fp32", ["ort-fp32", "sentence-transformers"]), ("int8", ["ort-int8"])):
            measure = f"bulk encoding, {precision}"
            lines = bench("encode", "--model", MODEL, "--csv", os.path.join(DATA, "train.csv"), "--limit", str(LIMIT),
                          "--precision", precision)
            rounds.add(measure, "hidra", lines[0]["per_second"], "sentences/s")
            rounds.add(f"share of the machine's peak, {precision}", "hidra", 100 * lines[0]["share_of_peak"], "%")
            for rival in rivals if peer else []:
                answer = peer.ask("encode", rival, file.name)
                rounds.add(measure, rival, answer["per_second"], "sentences/s")
                if rival == "ort-int8":
                    rounds.add("cosine of int8 to fp32, mean", rival, answer["cosine_mean"], "")
                    rounds.add("cosine of int8 to fp32, lowest", rival, answer["cosine_min"], "")
    os.unlink(file.name)
    check = hidra("quantize", "minilm", "--check", os.path.join(DATA, "test.csv"), "--column", "text", "--json")[-1]
    rounds.add("cosine of int8 to fp32, mean", "hidra", check["mean"], "")
    rounds.add("cosine of int8 to fp32, lowest", "hidra", check["minimum"], "")


def serve(rounds, pairs, peer):
    for precision in ("fp32", "int8"):
        for _ in range(pairs):
            lines = bench("serve", "--encoder", "minilm", "--model", MODEL, "--csv", os.path.join(DATA, "train.csv"),
                          "--precision", precision, "--seconds", "2")
            one = next(line for line in lines if line["bench"] == "one sentence")
            measure = f"one sentence of 17 tokens through the socket, {precision}"
            rounds.add(measure + ", p50", "hidra", one["socket_p50_ms"], "ms")
            rounds.add(measure + ", p99", "hidra", one["socket_p99_ms"], "ms")
            rounds.add(f"what socket and scheduling add, {precision}, p50", "hidra", one["added_p50_us"], "us")
            for line in lines:
                if line["bench"] == "heads in one request" and line["heads"] > 1:
                    rounds.add(f"{line['heads']} heads in one request to 1 head, {precision}", "hidra", line["ratio_to_one"], "x")
            clients = {line["clients"]: line["per_second"] for line in lines if line["bench"] == "concurrent clients"}
            for count, rate in clients.items():
                rounds.add(f"clients at a time: {count}, {precision}", "hidra", rate, "sentences/s")
            rounds.add(f"16 clients to 1 client, {precision}", "hidra", clients[16] / clients[1], "x")
            if peer:
                answer = peer.ask("latency", "ort-" + precision, TEXT)
                rounds.add(measure + ", p50", "ort-" + precision, answer["p50_ms"], "ms")
                rounds.add(measure + ", p99", "ort-" + precision, answer["p99_ms"], "ms")


def heads(rounds, pairs, peer):
    for _ in range(pairs):
        for line in bench("heads", "--seconds", "2"):
            rounds.add(f"training steps, {line['head']}", "hidra", line["steps_per_second"], "steps/s")
            rounds.add(f"allocations a step, {line['head']}", "hidra", line["allocations_per_step"], "")
        if PEERS:
            for line in run(PEERS, os.path.join(HERE, "peers_heads.py"), "--seconds", "2"):
                rounds.add(f"training steps, {line['head']}", "torch", line["steps_per_second"], "steps/s")


def vision(rounds, pairs, peer):
    for _ in range(pairs):
        for program, lines in [("hidra", bench("vision"))] + (
                [(None, run(PEERS, os.path.join(HERE, "peers_vision.py"), check=False))] if PEERS else []):
            for line in lines:
                if "median_ms" in line:
                    rounds.add(f"{line['bench']}, batch {line['batch']}", program or line["engine"], line["median_ms"], "ms")


def cold(rounds, pairs, peer):
    """From exec to the first embedding, the daemon's start included."""
    for _ in range(pairs):
        for precision in ("fp32", "int8"):
            hidra("stop")
            start = time.perf_counter()
            hidra("embed", "minilm", TEXT, "--precision", precision, "--json")
            rounds.add(f"cold start to the first vector, {precision}", "hidra", time.perf_counter() - start, "s")
            rounds.add(f"memory after it, {precision}", "hidra", hidra("status", "--json")[-1]["resident_bytes"] / 1e6, "MB")
            if PEERS:
                for rival in ["ort-" + precision] + (["sentence-transformers"] if precision == "fp32" else []):
                    start = time.perf_counter()
                    lines = run(PEERS, os.path.join(HERE, "peers_text.py"), MODEL, "--cold", rival, TEXT)
                    rounds.add(f"cold start to the first vector, {precision}", rival, time.perf_counter() - start, "s")
                    rounds.add(f"memory after it, {precision}", rival, lines[-1]["peak_mb"], "MB")


def job(rounds, pairs, peer):
    """From a table to a trained head, in a fresh home: nothing may come from the feature cache."""
    script = os.environ.get("HIDRA_PEERS", os.path.join(ROOT, "..", "shared", "bench", "peers.py"))
    for _ in range(min(pairs, 3)):
        for precision in ("fp32", "int8"):
            home = tempfile.mkdtemp(prefix="hidra-bench-")
            hidra("pull", MODEL, "--name", "minilm", home=home)
            start = time.perf_counter()
            hidra("train", os.path.join(DATA, "train.csv"), "--text", "text", "--label", "category", "--encoder", "minilm",
                  "--name", "bank", "--precision", precision, "--json", home=home)
            rounds.add(f"table to trained head, {precision}", "hidra", time.perf_counter() - start, "s")
            hidra("stop", home=home)
            shutil.rmtree(home)
        if PEERS and os.path.exists(script):
            for line in run(PEERS, script, "train", "--model", MODEL, "--train", os.path.join(DATA, "train.csv"), "--test",
                            os.path.join(DATA, "test.csv")):
                if line["task"] == "train":
                    for precision in ("fp32", "int8"):
                        rounds.add(f"table to trained head, {precision}", "sentence-transformers + scikit-learn",
                                   line["encode_s"] + line["fit_s"], "s")


SECTIONS = {"encode": encode, "serve": serve, "heads": heads, "vision": vision, "cold": cold, "job": job}


def table(rounds, machine):
    def spread(values):
        return f"{min(values):.3g} to {max(values):.3g}"

    lines = [f"{machine}. Medians of the rounds, in brackets the lowest and the highest; ratios are Hidra to the peer, round by round.", "",
             "| what | Hidra | peer | ratio |", "|---|---|---|---|"]
    for measure in rounds.order:
        unit = rounds.units[measure]
        ours = rounds.values.get((measure, "hidra"))
        shown = f"{statistics.median(ours):.4g} {unit} [{spread(ours)}]" if ours else ""
        rivals = [program for (name, program) in rounds.values if name == measure and program != "hidra"]
        for rival in rivals or [None]:
            theirs = f"{rival}: {rounds.median(measure, rival):.4g} {unit}" if rival else ""
            ratios = rounds.ratios(measure, rival) if rival else []
            ratio = f"{statistics.median(ratios):.2f}x [{spread(ratios)}]" if ratios else ""
            lines.append(f"| {measure} | {shown} | {theirs} | {ratio} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="of " + ",".join(SECTIONS))
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if not os.path.isdir(DATA):
        sys.exit(f"bench: {DATA} is missing; set HIDRA_DATA to a folder with banking77/train.csv and test.csv")
    hidra("start")
    peak = bench("peak")
    status = hidra("status", "--json")[-1]
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {status['threads']} threads, {status['kernels']} kernels"
    print(machine, json.dumps(peak), "" if PEERS else "(PEERS_PYTHON is not set: no peers)", flush=True)
    rounds, peer = Rounds(), Peer() if PEERS else None
    for name in chosen:
        SECTIONS[name](rounds, arguments.pairs, peer)
    if peer:
        peer.close()
    results = {"machine": machine, "peak": peak, "pairs": arguments.pairs,
               "rounds": [{"measure": m, "program": p, "unit": rounds.units[m], "values": v} for (m, p), v in rounds.values.items()]}
    with open(os.path.join(HERE, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    text = table(rounds, machine)
    with open(os.path.join(HERE, "results.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print("\n" + text)


main()
