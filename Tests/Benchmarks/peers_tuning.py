#!/usr/bin/env python3
"""Training steps a second of a part of an encoder in PyTorch, to stand beside `hidra-bench lora` and `hidra-bench top-layers`.

    pip install torch transformers peft
    python peers_tuning.py lora|top-layers --model MINILM --csv train.csv [--threads 2] [--seconds 10]
    python peers_tuning.py compare --bench .build/release/hidra-bench --model MINILM --csv train.csv [--pairs 3]

The same sizes: batch 32 of a table's texts, tokenised beforehand and padded to the batch's longest, mean pooling and L2, a linear head,
cross-entropy, gradients clipped to norm 1, AdamW. `lora`: PEFT, rank 8 on query, key, value and the attention's output of all layers.
`top-layers`: the top two layers trained, those below run without a tape; with --cached also from hidden states computed once.
Each line printed is one JSON object. `compare` runs Hidra and PyTorch in turn and prints the ratios: quote those, machines drift.
"""
import argparse
import csv
import itertools
import json
import statistics
import subprocess
import sys
import time


def memory(field):
    """A field of /proc/self/status in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise KeyError(field)


def batches(torch, count, size):
    while True:
        order = torch.randperm(count).tolist()
        for start in range(0, count - size + 1, size):
            yield order[start:start + size]


def measure(arguments):
    import torch
    from transformers import AutoModel, AutoTokenizer
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    with open(arguments.csv, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:arguments.limit]
    classes = sorted({row["category"] for row in rows})
    labels = torch.tensor([classes.index(row["category"]) for row in rows])
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    ids = [tokenizer(row["text"], truncation=True, max_length=256)["input_ids"] for row in rows]
    # The faster of its attentions on short sentences.
    model = AutoModel.from_pretrained(arguments.model, attn_implementation=arguments.attention)
    model.eval()
    trunk = []
    if arguments.what == "lora":
        from peft import LoraConfig, get_peft_model
        model = get_peft_model(model, LoraConfig(
            r=8, lora_alpha=16, target_modules=["query", "key", "value", "attention.output.dense"]))
    else:
        for parameter in model.parameters():
            parameter.requires_grad = False
        trunk = list(model.encoder.layer[:-arguments.layers])
        for parameter in model.encoder.layer[-arguments.layers:].parameters():
            parameter.requires_grad = True
    head = torch.nn.Linear(model.config.hidden_size, len(classes))
    trained = [p for p in model.parameters() if p.requires_grad] + list(head.parameters())
    optimiser = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01)

    def padded(batch):
        longest = max(len(ids[row]) for row in batch)
        tokens = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for place, row in enumerate(batch):
            tokens[place, :len(ids[row])] = torch.tensor(ids[row])
            mask[place, :len(ids[row])] = 1
        return tokens, mask

    cache = None
    if arguments.what == "top-layers" and arguments.cached:
        with torch.no_grad():
            cache = [model(input_ids=torch.tensor([row]), output_hidden_states=True).hidden_states[len(trunk)][0]
                     for row in ids]

    def states(batch):
        if arguments.what == "lora":
            tokens, mask = padded(batch)
            return model(input_ids=tokens, attention_mask=mask).last_hidden_state, mask
        tokens, mask = padded(batch)
        # As the model itself makes it of a mask.
        wide = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        if cache is None:
            with torch.no_grad():
                hidden = model.embeddings(tokens)
                for layer in trunk:
                    hidden = first(layer(hidden, wide))
        else:
            hidden = torch.zeros(*tokens.shape, model.config.hidden_size)
            for place, row in enumerate(batch):
                hidden[place, :len(ids[row])] = cache[row]
        for layer in model.encoder.layer[len(trunk):]:
            hidden = first(layer(hidden, wide))
        return hidden, mask

    def first(output):
        return output[0] if isinstance(output, tuple) else output

    def step(batch):
        hidden, mask = states(batch)
        wide = mask[:, :, None].float()
        pooled = torch.nn.functional.normalize((hidden * wide).sum(1) / wide.sum(1), dim=1)
        loss = torch.nn.functional.cross_entropy(head(pooled), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()

    source = batches(torch, len(ids), arguments.batch)
    before = memory("VmRSS")
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")
    except OSError:
        pass
    for batch in itertools.islice(source, 5):
        step(batch)
    steps, start, core = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < arguments.seconds:
        step(next(source))
        steps += 1
    elapsed, core = time.perf_counter() - start, time.process_time() - core
    print(json.dumps({
        "bench": arguments.what, "peer": "pytorch" + (" cached" if cache else ""), "threads": arguments.threads,
        "batch": arguments.batch, "steps": steps, "steps_per_second": round(steps / elapsed, 4),
        "core_ms_per_step": round(core / steps * 1e3, 3),
        "trained_parameters": sum(p.numel() for p in trained) - sum(p.numel() for p in head.parameters()),
        "peak_mb_of_steps": round((memory("VmHWM") - before) / 1e6, 1)}), flush=True)


def compare(arguments):
    def lines(*command):
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])

    common = ["--model", arguments.model, "--csv", arguments.csv, "--seconds", str(arguments.seconds)]
    for what in ("lora", "top-layers"):
        ratios, memories = [], []
        for _ in range(arguments.pairs):
            ours = lines(arguments.bench, what, *common)
            theirs = lines(sys.executable, __file__, what, *common, "--threads", str(arguments.threads))
            ratios.append(ours["steps_per_second"] / theirs["steps_per_second"])
            memories.append(ours["peak_mb_of_steps"] / theirs["peak_mb_of_steps"])
            print(json.dumps({"hidra": ours, "pytorch": theirs, "ratio": round(ratios[-1], 3)}), flush=True)
        print(json.dumps({
            "bench": what, "steps_ratio_median": round(statistics.median(ratios), 3),
            "steps_ratio_least": round(min(ratios), 3), "peak_memory_ratio_median": round(statistics.median(memories), 3)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lora", "top-layers", "compare"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--bench", default=".build/release/hidra-bench")
    parser.add_argument("--attention", default="sdpa")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cached", action="store_true")
    arguments = parser.parse_args()
    compare(arguments) if arguments.what == "compare" else measure(arguments)


if __name__ == "__main__":
    main()
