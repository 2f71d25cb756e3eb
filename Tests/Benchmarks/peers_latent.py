#!/usr/bin/env python3
"""The peers of `hidra-bench latent`: a small VAE in PyTorch and scikit-learn's BernoulliRBM, on the same files with the same settings.

    pip install torch scikit-learn
    python peers_latent.py --data ../../../shared/data/mnist10k [--only vae|rbm|steps] [--epochs 40] [--threads 2]

The VAE's layers, initial ranges, batch, schedule, loss and augmentation are those of Sources/Latent: stages of 4 × 4 convolutions with
stride 2 and SiLU (32, 64), a layer of 256, a code of 16; squared error summed over the pixels plus beta times the KL divergence. Each
line printed is one JSON object. Alternate with Hidra's own figures in one sitting and quote ratios: machines drift.
"""
import argparse
import gzip
import json
import math
import os
import time

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--only", choices=["vae", "rbm", "steps"])
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--beta", type=float, default=0.001)
parser.add_argument("--augment", type=float, default=0.5)
parser.add_argument("--threads", type=int, default=os.cpu_count())
options = parser.parse_args()


def images(*names):
    path = next(p for p in (os.path.join(options.data, f"{n}-images-idx3-ubyte.gz") for n in names) if os.path.exists(p))
    with gzip.open(path) as file:
        data = file.read()
    count, rows, columns = (int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in (1, 2, 3))
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, rows, columns).astype(np.float32) / 255


def say(**fields):
    print(json.dumps(fields), flush=True)


def vae(train, test, epochs, steps_only=False):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    code, batch, base = 16, 128, 0.002
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.SiLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.SiLU(), nn.Flatten(), nn.Linear(3136, 256), nn.SiLU())
    mean, log_variance = nn.Linear(256, code), nn.Linear(256, code)
    decoder = nn.Sequential(
        nn.Linear(code, 256), nn.SiLU(), nn.Linear(256, 3136), nn.SiLU(), nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1))
    parts = nn.ModuleList([encoder, mean, log_variance, decoder])
    optimiser = torch.optim.Adam(parts.parameters(), lr=base)
    x, held = torch.from_numpy(train)[:, None], torch.from_numpy(test)[:, None]
    if not steps_only:
        x = x[len(x) // 50 :]  # as many as Hidra trains on, whose validation takes 2 %
    per_epoch = len(x) // batch
    total = per_epoch * epochs

    def vary(images):
        a = options.augment
        if a <= 0 or steps_only:
            return images
        n = len(images)
        u = torch.rand(n, 6) * 2 - 1
        angle = math.radians(20 * a) * u[:, 0]
        crop = math.log(1 - 0.2 * a)
        zx = torch.exp(crop * u[:, 1])
        zy = zx * torch.exp(0.3 * crop * u[:, 2])
        theta = torch.stack([
            torch.stack([torch.cos(angle) * zx, -torch.sin(angle) * zy, 2 * 0.08 * a * u[:, 4]], 1),
            torch.stack([torch.sin(angle) * zx, torch.cos(angle) * zy, 2 * 0.08 * a * u[:, 5]], 1)], 1)
        grid = F.affine_grid(theta, images.shape, align_corners=False)
        return F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)

    def step(index, rows):
        data = vary(x[rows])
        hidden = encoder(data)
        mu, logvar = mean(hidden), log_variance(hidden)
        output = torch.sigmoid(decoder(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)))
        error = ((output - data) ** 2).flatten(1).sum(1).mean()
        kl = (-0.5 * (1 + logvar - mu * mu - logvar.exp())).sum(1).mean()
        loss = error + options.beta * min(1, index / max(total, 1) / 0.1) * kl
        warmup = min(total // 20, 500)
        at = index + 1
        share = at / max(warmup, 1) if at < warmup else 0.5 * (1 + math.cos(math.pi * (at - warmup) / max(total - warmup, 1)))
        optimiser.param_groups[0]["lr"] = base * share
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parts.parameters(), 50)
        optimiser.step()

    if steps_only:
        total = per_epoch * 1000
        for index in range(5):
            step(index, slice(0, batch))
        times = []
        for _ in range(9):
            start = time.perf_counter()
            for index in range(5):
                step(index, torch.randperm(len(x))[:batch])
            times.append((time.perf_counter() - start) / 5)
        median = sorted(times)[4]
        return say(what="vae step", peer="torch", batch=batch, seconds=median, images_per_second=batch / median)

    start = time.perf_counter()
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for position in range(per_epoch):
            step(epoch * per_epoch + position, order[position * batch : (position + 1) * batch])
    seconds = time.perf_counter() - start
    with torch.no_grad():
        errors = torch.cat([((torch.sigmoid(decoder(mean(encoder(t)))) - t) ** 2).flatten(1).mean(1) for t in held.split(500)])
    say(what="vae", peer="torch", epochs=epochs, psnr_mean_over_images=float((-10 * torch.log10(errors)).mean()),
        psnr_of_mean_error=float(-10 * torch.log10(errors.mean())), seconds=seconds, images_per_second=total * batch / seconds)


def rbm(train, test):
    from sklearn.neural_network import BernoulliRBM

    visible, held = train.reshape(len(train), -1), test.reshape(len(test), -1)
    machine = BernoulliRBM(n_components=256, learning_rate=0.05, batch_size=10, n_iter=10, random_state=0)
    start = time.perf_counter()
    machine.fit(visible)
    seconds = time.perf_counter() - start
    # score_samples flips a random pixel of each row, by its seed: the mean of 100 draws.
    scores = []
    for seed in range(100):
        machine.random_state = seed
        scores.append(machine.score_samples(held).mean())
    hidden = machine._mean_hiddens(held)
    back = 1 / (1 + np.exp(-(hidden @ machine.components_ + machine.intercept_visible_)))
    say(what="rbm", peer="scikit-learn", seconds=seconds, pseudo_likelihood=float(np.mean(scores)),
        reconstruction_error=float(((held - back) ** 2).mean()))


if __name__ == "__main__":
    train, test = images("train"), images("t10k", "test")
    if options.only in (None, "vae"):
        vae(train, test, options.epochs)
    if options.only in (None, "rbm"):
        rbm(train, test)
    if options.only in (None, "steps"):
        vae(train, test, 1, steps_only=True)
