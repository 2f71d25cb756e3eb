"""The networks of `hidra-bench vision` in PyTorch and onnxruntime, with the same shapes, batches and threads.

Each line printed is one JSON object with the keys of hidra-bench. Run it in turns with hidra-bench: machines drift.
    python peers_vision.py --threads 2 --only mobilenet-v2
"""

import argparse
import io
import json
import time

import torch
from torch import nn


def convolution(inputs, outputs, kernel, stride, groups, activation):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation:
        layers.append(activation)
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        layers = [convolution(inputs, hidden, 1, 1, 1, nn.ReLU6(inplace=True))] if expansion > 1 else []
        layers.append(convolution(hidden, hidden, 3, stride, hidden, nn.ReLU6(inplace=True)))
        layers.append(convolution(hidden, outputs, 1, 1, 1, None))
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def mobilenet_v2():
    layers, width = [convolution(3, 32, 3, 2, 1, nn.ReLU6(inplace=True))], 32
    for expansion, outputs, repeats, stride in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)
    ]:
        for block in range(repeats):
            layers.append(InvertedResidual(width, outputs, stride if block == 0 else 1, expansion))
            width = outputs
    layers.append(convolution(320, 1280, 1, 1, 1, nn.ReLU6(inplace=True)))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride, 1, nn.ReLU(inplace=True))
        self.second = convolution(outputs, outputs, 3, 1, 1, None)
        self.shortcut = convolution(inputs, outputs, 1, stride, 1, None) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu_(self.second(self.first(x)) + self.shortcut(x))


def resnet(depth):
    layers, width = [convolution(3, 16, 3, 1, 1, nn.ReLU(inplace=True))], 16
    for stage, outputs in enumerate([16, 32, 64]):
        for block in range((depth - 2) // 6):
            layers.append(BasicBlock(width, outputs, 2 if stage > 0 and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def autoencoder_step():
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Sigmoid(),
    )
    optimiser, x = torch.optim.Adam(model.parameters(), lr=1e-3), torch.rand(32, 3, 32, 32)

    def step():
        optimiser.zero_grad()
        nn.functional.mse_loss(model(x), x).backward()
        optimiser.step()

    return step


def memory(field):
    """A field of /proc/self/status in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def measure(name, engine, batch, threads, runs, body):
    for _ in range(3):
        body()
    # The peak counts from here.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    resident = memory("VmRSS")
    times, cpu = [], time.process_time()
    for _ in range(runs):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / runs
    times.sort()
    print(json.dumps({
        "bench": name, "engine": engine, "threads": threads, "batch": batch, "best_ms": round(times[0] * 1e3, 3),
        "median_ms": round(times[len(times) // 2] * 1e3, 3), "cpu_ms": round(cpu * 1e3, 3),
        "peak_memory_mb": round((memory("VmHWM") - resident) / 1e6, 2),
    }), flush=True)


def forward(name, model, x, arguments):
    model.eval()
    batch = x.shape[0]
    if "torch" in arguments.engines:
        with torch.no_grad():
            measure(name, "pytorch", batch, arguments.threads, arguments.runs, lambda: model(x))
            channels_last, y = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
            measure(name, "pytorch channels_last", batch, arguments.threads, arguments.runs, lambda: channels_last(y))
    if "onnxruntime" in arguments.engines:
        import onnxruntime

        file = io.BytesIO()
        torch.onnx.export(model, (x,), file, input_names=["x"], output_names=["y"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        feed = {"x": x.numpy()}
        measure(name, "onnxruntime", batch, arguments.threads, arguments.runs, lambda: session.run(None, feed))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", choices=["mobilenet-v2", "resnet-56", "autoencoder"])
    parser.add_argument("--engines", nargs="+", choices=["torch", "onnxruntime"], default=["torch", "onnxruntime"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.only in (None, "mobilenet-v2"):
        forward("mobilenet-v2", mobilenet_v2(), torch.rand(8, 3, 224, 224), arguments)
    if arguments.only in (None, "resnet-56"):
        forward("resnet-56", resnet(56), torch.rand(64, 3, 32, 32), arguments)
    if arguments.only in (None, "autoencoder") and "torch" in arguments.engines:
        measure("autoencoder step", "pytorch", 32, arguments.threads, arguments.runs, autoencoder_step())


if __name__ == "__main__":
    main()
