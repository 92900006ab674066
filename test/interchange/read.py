"""Reads what check.mjs exported: onnx.checker and ONNX's reference evaluator, numpy, pickle, PyTorch; see make.py."""

import json
import pathlib
import pickle
import sys

import numpy
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from safetensors.torch import load_file
from torch import nn

folder = pathlib.Path(sys.argv[1])
x = numpy.float32(json.loads((folder / "cases.json").read_text())["x"]).reshape(200, 6)
worst = {"onnx": 0.0, "torch": 0.0}
MODULES = {
    "relu": nn.ReLU,
    "leakyRelu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


def difference(case, outputs):
    expected = numpy.float64(case["outputs"]).reshape(200, -1)
    scale = numpy.maximum(1, abs(expected).max(0)) if case["head"] == "identity" else 1
    return float((abs(expected - outputs) / scale).max())


def sequential(spec):
    """The spec as torch.nn.Sequential."""
    layers, width = [], spec["input"]["features"]
    for layer in spec["layers"]:
        if layer["type"] == "dense":
            layers.append(nn.Linear(width, layer["units"]))
            width = layer["units"]
        else:
            layers.append(nn.BatchNorm1d(width) if layer["type"] == "batchNorm" else MODULES[layer["type"]]())
    return nn.Sequential(*layers).eval()


cases = json.loads((folder / "exported.json").read_text())
for case in cases:
    path = folder / case["name"]
    model = onnx.load(f"{path}.onnx")
    onnx.checker.check_model(model, full_check=True)
    outputs = ReferenceEvaluator(model).run(None, {"x": x})
    worst["onnx"] = max(worst["onnx"], difference(case, outputs[0]))
    if case["head"] != "identity":
        assert outputs[1].tolist() == case["labels"], case["name"]

    arrays = dict(numpy.load(f"{path}.npz"))
    assert json.loads(str(arrays.pop("treadle_model"))) == case["spec"]
    with open(f"{path}.pkl", "rb") as file:
        pickled = pickle.load(file)
    assert list(arrays) == list(pickled) and all((arrays[name] == pickled[name]).all() for name in arrays)

    tensors = load_file(f"{path}.safetensors")
    own = {name: value for name, value in tensors.items() if name.split(".")[0] not in ("input", "target")}
    net = sequential(case["spec"])
    net.load_state_dict(own, strict=True)
    values = net((torch.from_numpy(x) - tensors["input.mean"]) / tensors["input.deviation"]).detach()
    if case["head"] == "identity":
        values = values * tensors["target.deviation"] + tensors["target.mean"]
    else:
        values = torch.softmax(values, 1) if case["head"] == "softmax" else torch.sigmoid(values)
    worst["torch"] = max(worst["torch"], difference(case, values.numpy()))

print(len(cases), "models read; largest differences:", worst)
assert max(worst.values()) < 1e-5
