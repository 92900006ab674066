"""Runs what tables.mjs exported in onnxruntime, by onnx.checker too; see there."""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
for case in json.loads((folder / "tables.json").read_text()):
    path = folder / f"{case['name']}.onnx"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    feeds = {
        given["name"]: numpy.array(given["data"], dtype=object if given["type"] == "string" else "float64").reshape(-1, 1)
        for given in case["inputs"]
    }
    assert [given.name for given in session.get_inputs()] == list(feeds)
    found, *labels = session.run(None, feeds)
    expected = numpy.array(case["outputs"])
    difference = float((abs(found - expected) / numpy.array(case["sizes"])).max())
    others = sum(one != other for one, other in zip(labels[0].tolist(), case["labels"])) if labels else 0
    print(f"onnxruntime, {case['name']}: {len(found)} rows, largest difference {difference}, other labels {others}")
    assert difference <= 1e-5 and others == 0
