#!/usr/bin/env python3
"""Times one training epoch of a treadle architecture in PyTorch; prints one JSON object.

    python3 test/bench/peers/pytorch_epoch.py --model large1 --batch-size 256 --data FOLDER

The recipe stands in pytorch_job.py; every epoch has a new order. Without --data the pixels and labels are random, and
half of the pixels are zero, as in Fashion-MNIST.
"""

import argparse
import json
import pathlib
import time

import numpy
import torch

from pytorch_job import CLASSES, INPUTS, MODELS, batches, build, engine, optimizer, read_samples, train_step

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


def load(options):
    """Images (samples, 784) u8 and labels (samples)."""
    if options.data is not None:
        images, labels = read_samples(options.data, "train")
        return images[: options.samples], labels[: options.samples]
    random = numpy.random.default_rng(options.seed)
    images = random.integers(0, 256, (options.samples, INPUTS), numpy.uint8)
    images *= random.integers(0, 2, images.shape, numpy.uint8)
    return torch.from_numpy(images), torch.from_numpy(random.integers(0, CLASSES, options.samples))


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    images, labels = load(options)
    network = build(MODELS[options.model])
    adam = optimizer(network, options.learning_rate)
    network.train()

    epoch = batches(torch.randperm(len(images)), options.batch_size)
    for rows in epoch[:WARM_UP_STEPS]:
        train_step(network, adam, images[rows], labels[rows])
    begin = time.perf_counter()
    losses = [train_step(network, adam, images[rows], labels[rows]) for rows in epoch]
    seconds = time.perf_counter() - begin

    result = {
        "seconds": round(seconds, 4),
        "model": options.model,
        "batchSize": options.batch_size,
        "samples": len(images),
        "threads": options.threads,
        "data": "random" if options.data is None else str(options.data),
        "meanLoss": round(sum(losses) / len(losses), 4),
        **engine(),
    }
    print(json.dumps(result))


main()
