#!/usr/bin/env python3
"""Writes regression.json: ten steps of a tanh network without norm in PyTorch, by SGD with momentum.

    python3 test/golden/make_regression.py        (any PyTorch from 2.0)

Linear -> tanh -> Linear -> tanh -> Linear under MSELoss. Nothing is frozen and there are no masks.
"""

import torch
from torch import nn

import steps

INPUTS, HIDDEN, OUTPUTS = 9, [14, 11], 3
RATE, MOMENTUM, L2 = 0.05, 0.9, 0.01


def main():
    generator = steps.begin(20250211)
    network = steps.sequential(INPUTS, HIDDEN, OUTPUTS, nn.Tanh, generator)
    batches = [
        {
            "inputs": torch.randn(steps.BATCH, INPUTS, generator=generator),
            "targets": torch.randn(steps.BATCH, OUTPUTS, generator=generator),
        }
        for _ in range(steps.STEPS + 1)
    ]
    decayed, others = steps.decay_groups(network)
    steps.write(
        "regression",
        network,
        batches,
        optimizer=lambda model: torch.optim.SGD(
            steps.groups(model, decayed, others, L2), lr=RATE, momentum=MOMENTUM
        ),
        loss=lambda outputs, batch: nn.functional.mse_loss(outputs, batch["targets"].to(outputs.dtype)),
        rates=[RATE] * steps.STEPS,
        network_spec={"inputs": INPUTS, "hidden": HIDDEN, "outputs": OUTPUTS, "activation": "tanh"},
        training={
            "loss": {"type": "squaredError"},
            "optimizer": {"type": "sgd", "momentum": MOMENTUM, "l2": L2},
        },
    )


main()
