#!/usr/bin/env python3
"""Times one training epoch of a treadle architecture in PyTorch; prints one JSON object.

    /usr/bin/python3 test/bench/peers/pytorch_epoch.py --model large1 --batch-size 256 --data FOLDER

The recipe is treadle's: blocks of Linear -> BatchNorm1d -> ReLU -> Dropout(0.5), then Linear -> cross-entropy; Adam;
u8 pixels kept as bytes and divided by 255 a batch at a time; a new order each epoch; a last batch of one sample is
joined to the one before it. Without --data the pixels and labels are random, and half of the pixels are zero, as in
Fashion-MNIST. Debian's PyTorch calls the reference BLAS unless libopenblas0 is installed: ten times slower, so the
output names the library.
"""

import argparse
import gzip
import json
import pathlib
import re
import time

import numpy
import torch
from torch import nn

MODELS = {"large1": [1024, 512, 256, 128], "large2": [512, 256, 128, 64], "small": [128, 64]}
INPUTS, CLASSES = 784, 10
WARM_UP_STEPS = 5


def arguments():
    parser = argparse.ArgumentParser(description="Time one PyTorch training epoch of a treadle architecture.")
    parser.add_argument("--model", choices=MODELS, default="large1")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--samples", type=int, default=48000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=pathlib.Path, help="folder with the IDX files, gzip or plain; default: random")
    return parser.parse_args()


def read_idx(folder, name, header):
    """The bytes of an IDX file after its header, from NAME or NAME.gz."""
    plain = folder / name
    packed = folder / f"{name}.gz"
    raw = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    return numpy.frombuffer(raw, numpy.uint8, offset=header)


def load(options):
    """Images (samples, 784) u8 and labels (samples)."""
    if options.data is None:
        random = numpy.random.default_rng(options.seed)
        images = random.integers(0, 256, (options.samples, INPUTS), numpy.uint8)
        images *= random.integers(0, 2, images.shape, numpy.uint8)
        labels = random.integers(0, CLASSES, options.samples, numpy.uint8)
    else:
        images = read_idx(options.data, "train-images-idx3-ubyte", 16).reshape(-1, INPUTS)[: options.samples]
        labels = read_idx(options.data, "train-labels-idx1-ubyte", 8)[: options.samples]
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(numpy.int64))


def build(hidden):
    layers = []
    for inputs, width in zip([INPUTS, *hidden], hidden):
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], CLASSES))


def batches(order, size):
    """`order` cut into batches; a single sample left over goes to the batch before."""
    cut = list(order.split(size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def engine():
    """The BLAS libraries in this process (Debian's choice of one is a link) and the vector level PyTorch took."""
    maps = pathlib.Path("/proc/self/maps")
    paths = {line.split()[-1] for line in maps.read_text().splitlines()} if maps.exists() else set()
    blas = sorted(path for path in paths if "blas" in pathlib.Path(path).name or "mkl_" in pathlib.Path(path).name)
    capability = re.search(r"CPU capability usage: (.*)", torch.__config__.show())
    return {"blas": blas, "cpuCapability": capability.group(1) if capability else None}


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    images, labels = load(options)
    network = build(MODELS[options.model])
    adam = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    network.train()

    def step(rows):
        adam.zero_grad()
        loss = nn.functional.cross_entropy(network(images[rows].float() / 255), labels[rows])
        loss.backward()
        adam.step()
        return loss.item()

    epoch = batches(torch.randperm(len(images)), options.batch_size)
    for rows in epoch[:WARM_UP_STEPS]:
        step(rows)
    begin = time.perf_counter()
    losses = [step(rows) for rows in epoch]
    seconds = time.perf_counter() - begin

    result = {
        "seconds": round(seconds, 4),
        "model": options.model,
        "batchSize": options.batch_size,
        "samples": len(images),
        "threads": options.threads,
        "data": "random" if options.data is None else str(options.data),
        "meanLoss": round(sum(losses) / len(losses), 4),
        "torch": torch.__version__,
        **engine(),
    }
    print(json.dumps(result))


main()
