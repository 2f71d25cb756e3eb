#!/usr/bin/env python3
"""What a user would pick instead for text, measured on demand: sentence-transformers, and onnxruntime in fp32 and int8.

    pip install torch transformers sentence-transformers onnxruntime onnx
    python peers_text.py MODEL_FOLDER

MODEL_FOLDER is the Hugging Face folder of the encoder. Reads commands on standard input, one a line, and answers each with one JSON object:

    encode PEER FILE     the texts of FILE, a JSON array; best batch size of 32 and 128: {"per_second": …, "cosine_mean": …}
    latency PEER TEXT    one text, 200 times: {"p50_ms": …, "p99_ms": …}

PEER is sentence-transformers, ort-fp32 or ort-int8. `bench.py` keeps one such process and asks it in turn with Hidra.
With `--cold PEER TEXT` it instead imports, loads, encodes TEXT once, and ends: what a cold start takes. The exported models lie in
MODEL_FOLDER's namesake in the temporary folder.
"""
import json
import os
import sys
import tempfile
import time

import numpy as np

THREADS = os.cpu_count() or 1
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


def exported(model, quantised):
    """Paths of the encoder as ONNX, exported once."""
    folder = os.path.join(tempfile.gettempdir(), "hidra-bench-" + os.path.basename(os.path.normpath(model)))
    os.makedirs(folder, exist_ok=True)
    plain, int8 = os.path.join(folder, "fp32.onnx"), os.path.join(folder, "int8.onnx")
    if not os.path.exists(plain):
        import torch
        from transformers import AutoModel

        body = AutoModel.from_pretrained(model, attn_implementation="eager").eval()

        class Encoder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = body

            def forward(self, input_ids, attention_mask, token_type_ids):
                # Written out: the library's own mask code does not trace with a dynamic batch.
                mask = (1.0 - attention_mask[:, None, None, :].float()) * -1e9
                hidden = self.body.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
                for layer in self.body.encoder.layer:
                    output = layer(hidden, mask)
                    hidden = output[0] if isinstance(output, tuple) else output
                return hidden

        x = torch.ones(2, 7, dtype=torch.long)
        torch.onnx.export(
            Encoder(), (x, x, x * 0), plain, input_names=INPUTS, output_names=["hidden"], opset_version=17, dynamo=False,
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in INPUTS + ["hidden"]})
    if quantised and not os.path.exists(int8):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(plain, int8, weight_type=QuantType.QInt8)
    return int8 if quantised else plain


class OnnxRuntime:
    """Batches sorted by length, so that padding is as small as its users can make it."""

    def __init__(self, model, quantised):
        import onnxruntime
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(exported(model, quantised), options, providers=["CPUExecutionProvider"])

    def encode(self, texts, batch=32):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda index: -len(ids[index]))
        vectors = None
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            tokens = np.zeros((len(rows), len(ids[rows[0]])), np.int64)
            mask = np.zeros_like(tokens)
            for row, index in enumerate(rows):
                tokens[row, : len(ids[index])] = ids[index]
                mask[row, : len(ids[index])] = 1
            hidden = self.session.run(None, dict(zip(INPUTS, (tokens, mask, np.zeros_like(tokens)))))[0]
            pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            if vectors is None:
                vectors = np.zeros((len(ids), pooled.shape[1]), np.float32)
            vectors[rows] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors


class SentenceTransformers:
    def __init__(self, model):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self.model = SentenceTransformer(model, device="cpu")
        self.model.max_seq_length = 256

    def encode(self, texts, batch=32):
        return self.model.encode(texts, batch_size=batch, show_progress_bar=False)


class Peers:
    def __init__(self, model):
        self.model, self.loaded, self.reference = model, {}, {}

    def peer(self, name):
        if name not in self.loaded:
            self.loaded[name] = (
                SentenceTransformers(self.model) if name == "sentence-transformers" else OnnxRuntime(self.model, name == "ort-int8"))
            self.loaded[name].encode(["warm up"] * 8)
        return self.loaded[name]

    def encode(self, name, path):
        with open(path, encoding="utf-8") as file:
            texts = json.load(file)
        if path not in self.reference:
            self.reference[path] = self.peer("ort-fp32").encode(texts)
        best = None
        for batch in (32, 128):
            start = time.perf_counter()
            vectors = self.peer(name).encode(texts, batch)
            seconds = time.perf_counter() - start
            best = seconds if best is None else min(best, seconds)
        cosines = (vectors * self.reference[path]).sum(1)
        return {"per_second": len(texts) / best, "cosine_mean": float(cosines.mean()), "cosine_min": float(cosines.min())}

    def latency(self, name, text):
        peer, times = self.peer(name), []
        for _ in range(220):
            start = time.perf_counter()
            peer.encode([text])
            times.append((time.perf_counter() - start) * 1e3)
        return {"p50_ms": float(np.percentile(times[20:], 50)), "p99_ms": float(np.percentile(times[20:], 99))}


def main():
    if len(sys.argv) == 5 and sys.argv[2] == "--cold":
        peers = Peers(sys.argv[1])
        vector = (SentenceTransformers(peers.model) if sys.argv[3] == "sentence-transformers" else
                  OnnxRuntime(peers.model, sys.argv[3] == "ort-int8")).encode([sys.argv[4]])
        with open("/proc/self/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        print(json.dumps({"width": int(vector.shape[1]), "peak_mb": peak / 1e3}))
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    peers = Peers(sys.argv[1])
    for line in sys.stdin:
        command, name, argument = line.rstrip("\n").split(" ", 2)
        print(json.dumps(getattr(peers, command)(name, argument)), flush=True)


main()
