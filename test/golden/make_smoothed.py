#!/usr/bin/env python3
"""Writes smoothed.json: ten steps of a leaky ReLU network in PyTorch, with label smoothing and a cosine schedule.

    python3 test/golden/make_smoothed.py        (any PyTorch from 2.0)

Blocks of Linear -> BatchNorm1d -> LeakyReLU -> dropout, then Linear -> cross-entropy of smoothed labels, by Adam. The
masks are treadle's own (make_trace.py says how) and the hidden biases are frozen (make_trace.py says why). The rates are
those of torch's CosineAnnealingLR.
"""

import torch
from torch import nn

import steps

INPUTS, HIDDEN, CLASSES = 11, [15, 9], 4
DROPOUT, SLOPE, SMOOTHING = 0.25, 0.1, 0.1
RATE, LEAST_RATE = 0.01, 0.001
SEED = 20250213


def cosine_rates():
    """The rates of the steps as torch's scheduler gives them."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps.STEPS, eta_min=LEAST_RATE)
    rates = []
    for _ in range(steps.STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def main():
    generator = steps.begin(SEED)
    activation = lambda: nn.LeakyReLU(SLOPE)
    network = steps.sequential(INPUTS, HIDDEN, CLASSES, activation, generator, norm=True, dropout=DROPOUT)
    batches = [
        {
            "inputs": torch.randn(steps.BATCH, INPUTS, generator=generator),
            "targets": torch.randint(0, CLASSES, (steps.BATCH,), generator=generator),
            "masks": [
                steps.keep_mask(SEED, step + 1, layer, width, DROPOUT) for layer, width in enumerate(HIDDEN)
            ],
        }
        for step in range(steps.STEPS + 1)
    ]
    steps.write(
        "smoothed",
        network,
        batches,
        optimizer=lambda model: torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=RATE),
        loss=lambda outputs, batch: nn.functional.cross_entropy(
            outputs, batch["targets"], label_smoothing=SMOOTHING
        ),
        rates=cosine_rates(),
        network_spec={
            "inputs": INPUTS,
            "hidden": HIDDEN,
            "outputs": CLASSES,
            "activation": "leakyRelu",
            "slope": SLOPE,
            "norm": True,
            "dropout": DROPOUT,
        },
        training={"loss": {"type": "crossEntropy", "labelSmoothing": SMOOTHING}, "optimizer": {"type": "adam"}},
    )


main()
