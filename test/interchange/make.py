"""Writes models of PyTorch and scikit-learn, as their users save them, into a folder, with what they predict.

By hand, in a Python that has torch, safetensors, scikit-learn and onnx:

    python test/interchange/make.py FOLDER && node test/interchange/check.mjs FOLDER && python test/interchange/read.py FOLDER
"""

import copy
import json
import pathlib
import pickle
import sys
import warnings

import numpy
import torch
from safetensors.torch import save_file
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(1)
numpy.random.seed(1)
x = 2 * torch.randn(200, 6)
cases = []


def measured(model):
    """The model with statistics and parameters of BatchNorm that are not those it begins with."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return model.eval()


HEADS = {"softmax": lambda y: torch.softmax(y, 1), "sigmoid": torch.sigmoid, "identity": lambda y: y}


def expect(file, outputs, kind, **options):
    cases.append({"file": file, "head": kind, "options": options, "outputs": numpy.asarray(outputs).ravel().tolist()})


def state(name, model, kind="softmax", change=lambda key, value: (key, value), **options):
    """A state dict in safetensors, changed, and what the model predicts with it."""
    saved = dict(change(key, value.contiguous()) for key, value in model.state_dict().items())
    save_file(saved, folder / f"{name}.safetensors")
    expect(f"{name}.safetensors", HEADS[kind](model(x)).detach(), kind, **options)


plain = measured(nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)))
state("plain", plain)
for prefix in ["module.", "_orig_mod.", "net.", "model.", "module._orig_mod.", "a.b.c."]:
    state("prefix-" + prefix.replace(".", "-"), plain, change=lambda key, value: (prefix + key, value))

norms = measured(
    nn.Sequential(
        *[nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3)],
        *[nn.Linear(16, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3)],
    )
)
state("norms", norms)
state("late", measured(nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 3))))
for dtype in [torch.float16, torch.bfloat16, torch.float64]:
    narrow = copy.deepcopy(norms).to(dtype).float().eval()
    name = str(dtype).split(".")[1]
    state(name, narrow, change=lambda key, value: (key, value.to(dtype) if value.is_floating_point() else value))


class Named(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.hidden, self.bn, self.classifier = nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Linear(16, 9)
        self.activation = activation

    def forward(self, values):
        return self.classifier(self.activation(self.bn(self.hidden(values))))


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leakyRelu": nn.LeakyReLU(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
}
for name, activation in ACTIVATIONS.items():
    model = measured(Named(activation))
    state(f"named-{name}", model, activation=name)
    # The exporter that needs no further package; eval() folds and keeps norms as it likes.
    torch.onnx.export(model, (x[:1],), folder / f"torch-{name}.onnx", dynamo=False, dynamic_axes={"x": {0: "n"}}, input_names=["x"])
    expect(f"torch-{name}.onnx", HEADS["softmax"](model(x)).detach(), "softmax", head="softmax")
    ending = nn.Sequential(measured(nn.Sequential(nn.Linear(6, 8), activation, nn.Linear(8, 4))), nn.Softmax(1))
    torch.onnx.export(ending, (x[:1],), folder / f"ending-{name}.onnx", dynamo=False, dynamic_axes={"x": {0: "n"}}, input_names=["x"])
    expect(f"ending-{name}.onnx", ending(x).detach(), "softmax")

labels = measured(nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4)))
state("labels", labels, "sigmoid", activation="tanh", head="sigmoid")
state("number", measured(nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))), "identity")

rows = x.numpy().astype(float)
for activation in ["relu", "tanh", "logistic"]:
    ours = {"logistic": "sigmoid"}.get(activation, activation)
    for name, model in [
        ("classifier", MLPClassifier(hidden_layer_sizes=(10, 5), activation=activation).fit(rows, numpy.arange(200) % 3)),
        ("regressor", MLPRegressor(hidden_layer_sizes=(10,), activation=activation).fit(rows, rows[:, :2] * 100)),
    ]:
        arrays = {f"coefs_{i}": a for i, a in enumerate(model.coefs_)}
        arrays |= {f"intercepts_{i}": a for i, a in enumerate(model.intercepts_)}
        is_classifier = name == "classifier"
        outputs = model.predict_proba(rows) if is_classifier else model.predict(rows)
        head = "softmax" if is_classifier else "identity"
        numpy.savez_compressed(folder / f"{name}-{activation}.npz", **arrays)
        expect(f"{name}-{activation}.npz", outputs, head, activation=ours, head=head)
        for protocol in [2, 5]:
            with open(folder / f"{name}-{activation}-{protocol}.pkl", "wb") as file:
                pickle.dump(arrays, file, protocol=protocol)
            expect(f"{name}-{activation}-{protocol}.pkl", outputs, head, activation=ours, head=head)

(folder / "cases.json").write_text(json.dumps({"x": x.flatten().tolist(), "cases": cases}))
print(len(cases), "models")
