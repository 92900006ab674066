#!/usr/bin/env python3
"""Trains, saves and tests chains of models in PyTorch as `treadle run-all` does; prints one JSON object.

    python3 test/bench/peers/pytorch_grid.py --models large2,small --data FOLDER --weights FOLDER

The recipe stands in pytorch_job.py. Each architecture's rates form a chain: weights and running statistics go on from
the end of the rate before, Adam starts afresh. Every epoch ends with a validation; the weights of the epoch with the
best validation macro-F1 are saved, and tested from their file when all models are trained.
"""

import argparse
import copy
import json
import pathlib
import time

import torch
from torch import nn

from pytorch_job import CLASSES, MODELS, batches, build, engine, optimizer, read_samples, train_step

EVALUATION_ROWS = 256


def arguments():
    parser = argparse.ArgumentParser(description="Train, save and test chains of treadle's models in PyTorch.")
    parser.add_argument("--models", default=",".join(MODELS), help="architectures, with commas between them")
    parser.add_argument("--learning-rates", default="0.005,0.004,0.003,0.001", help="in the order of the chain")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--validation-size", type=int, default=10_000)
    parser.add_argument("--train-samples", type=int, help="of those that validation leaves; default: all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the IDX files, gzip or plain")
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="folder to save the weights in")
    return parser.parse_args()


@torch.no_grad()
def evaluate(network, images, labels):
    """Mean loss, accuracy and macro-F1 over all samples, with the running statistics and without Dropout."""
    network.eval()
    loss, confusion = 0.0, torch.zeros(CLASSES * CLASSES, dtype=torch.int64)
    for x, y in zip(images.split(EVALUATION_ROWS), labels.split(EVALUATION_ROWS)):
        scores = network(x.float() / 255)
        loss += nn.functional.cross_entropy(scores, y, reduction="sum").item()
        confusion += torch.bincount(y * CLASSES + scores.argmax(1), minlength=CLASSES * CLASSES)
    matrix = confusion.reshape(CLASSES, CLASSES).double()
    right, wanted_and_found = matrix.diag(), matrix.sum(0) + matrix.sum(1)
    f1 = 2 * right / wanted_and_found.clamp(min=1)
    return {
        "loss": loss / len(labels),
        "accuracy": (right.sum() / matrix.sum()).item(),
        "macroF1": f1.mean().item(),
    }


def train_model(network, rate, train, validation, options):
    """Trains for all epochs; returns their validations, the best epoch and its weights."""
    images, labels = train
    adam = optimizer(network, rate)
    validations, best = [], None
    for epoch in range(1, options.epochs + 1):
        network.train()
        for rows in batches(torch.randperm(len(labels)), options.batch_size):
            train_step(network, adam, images[rows], labels[rows])
        validations.append(evaluate(network, *validation))
        if best is None or validations[-1]["macroF1"] > validations[best[0] - 1]["macroF1"]:
            best = (epoch, copy.deepcopy(network.state_dict()))
    return validations, *best


def main():
    begin = time.perf_counter()
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    images, labels = read_samples(options.data, "train")
    test = read_samples(options.data, "t10k")
    order = torch.randperm(len(labels))
    chosen = order[options.validation_size :][: options.train_samples]
    train = images[chosen], labels[chosen]
    held_out = order[: options.validation_size]
    validation = images[held_out], labels[held_out]

    models = []
    for name in options.models.split(","):
        network = build(MODELS[name])
        for rate in map(float, options.learning_rates.split(",")):
            validations, kept, weights = train_model(network, rate, train, validation, options)
            file = options.weights / f"{name}_{rate}.pt"
            torch.save(weights, file)
            models.append({"model": name, "learningRate": rate, "kept": kept, "epochs": validations, "file": str(file)})
    for entry in models:
        network = build(MODELS[entry["model"]])
        network.load_state_dict(torch.load(entry.pop("file")))
        entry["test"] = evaluate(network, *test)

    seconds = round(time.perf_counter() - begin, 3)
    print(json.dumps({"seconds": seconds, "trainSamples": len(chosen), "models": models, **engine()}))


main()
