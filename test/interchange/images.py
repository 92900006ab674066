"""Runs what images.mjs exported in numpy, PyTorch and onnxruntime; see there."""

import pathlib
import sys

import numpy
import onnxruntime
import torch
from safetensors.torch import load_file

folder = pathlib.Path(sys.argv[1])
expected = numpy.fromfile(folder / "expected.bin", "float32").reshape(10_000, -1)
images = numpy.fromfile(folder / "images.bin", "uint8").reshape(10_000, -1)


def compare(client, found):
    difference = float(abs(found - expected).max())
    others = int((found.argmax(1) != expected.argmax(1)).sum())
    print(f"{client}: {len(found)} images, largest difference {difference}, other classes {others}")
    assert difference <= 1e-5 and others == 0


session = onnxruntime.InferenceSession(folder / "model.onnx")
compare(f"onnxruntime {onnxruntime.__version__}", session.run(["probabilities"], {"x": images})[0])

arrays = numpy.load(folder / "model.npz")
values, block = images / numpy.float32(255), 1
while f"W{block}" in arrays:
    if block > 1:
        values = numpy.maximum(values, 0)
    values = values @ arrays[f"W{block}"] + arrays.get(f"b{block}", 0)
    if f"gamma{block}" in arrays:
        scale = arrays[f"gamma{block}"] / numpy.sqrt(arrays[f"running_var{block}"] + 1e-5)
        values = (values - arrays[f"running_mean{block}"]) * scale + arrays[f"beta{block}"]
    block += 1
values = numpy.exp(values - values.max(1, keepdims=True))
compare(f"numpy {numpy.__version__}", values / values.sum(1, keepdims=True))

tensors = load_file(folder / "model.safetensors")
values = torch.from_numpy(images) / 255
for name in sorted((name for name in tensors if tensors[name].ndim == 2), key=lambda name: int(name.split(".")[0])):
    at = int(name.split(".")[0])
    values = torch.nn.functional.linear(values, tensors[name], tensors.get(f"{at}.bias"))
    norm = {part: tensors.get(f"{at + 1}.{part}") for part in ("running_mean", "running_var", "weight", "bias")}
    if norm["running_mean"] is not None:
        values = torch.nn.functional.batch_norm(values, *norm.values()).relu()
compare(f"PyTorch {torch.__version__}", values.softmax(1).numpy())
