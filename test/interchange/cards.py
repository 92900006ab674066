"""Reads the cards that cards.mjs wrote: front matter by a YAML reader, and every Python program, run in its folder."""

import contextlib
import io
import json
import os
import pathlib
import re
import sys

import numpy
import yaml

root = pathlib.Path(sys.argv[1]).resolve()
worst, run = 0.0, 0
for folder in sorted(path for path in root.iterdir() if path.is_dir()):
    card = (folder / "README.md").read_text(encoding="utf-8")
    _, front, body = card.split("---\n", 2)
    meta = yaml.safe_load(front)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert meta["library_name"] == "treadle" and "mlp" in meta["tags"], folder
    assert meta["pipeline_tag"] in ("image-classification", "tabular-classification", "tabular-regression"), folder
    if "training" in config:
        (result,) = meta["model-index"][0]["results"]
        assert result["dataset"]["args"]["sha256"] == config["training"]["dataHash"]
        assert result["metrics"][0]["value"] == config["training"]["valAccuracy"]
    if meta["pipeline_tag"].startswith("tabular") and "model-index" in meta:
        (result,) = meta["model-index"][0]["results"]
        assert result["dataset"]["split"] == "test" and result["metrics"][0]["value"] == 0.5
    expected = folder / "expected.json"
    programs = re.findall(r"```py\n(.*?)\n```", body, re.S)
    assert len(programs) == 3, folder
    os.chdir(folder)
    for program in programs:
        printed = []
        exec(program, {"print": printed.append})
        run += 1
        if expected.exists():
            (found,) = printed
            found = found[0] if isinstance(found, list) else found
            said = numpy.array(json.loads(expected.read_text())["said"])
            scale = numpy.maximum(1, abs(said))
            worst = max(worst, float((abs(numpy.asarray(found).ravel() - said) / scale).max()))
print(f"{run} programs run; largest difference {worst}")
assert run > 0 and worst <= 1e-5
