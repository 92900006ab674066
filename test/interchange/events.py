"""Reads what `treadle run-all --tensorboard LOGS` wrote, by TensorBoard's own reader, beside the run's results. By hand:

    node dist/cli.js run-all --epochs 2 --train-samples 2000 --tensorboard LOGS
    python test/interchange/events.py LOGS RUN
"""

import csv
import io
import json
import pathlib
import sys

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

logs, run = map(pathlib.Path, sys.argv[1:])
results = json.loads((run / "results.json").read_text())
figures = list(csv.DictReader((run / "epochs.csv").open()))
folders = sorted(path for path in (logs / run.name).iterdir())
assert [path.name for path in folders] == sorted(model["id"] for model in results["models"])
scalars = images = 0
for model in results["models"]:
    events = EventAccumulator(str(logs / run.name / model["id"]), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    tags = events.Tags()
    for key, tag in {
        "trainLoss": "loss/train_loss",
        "trainAccuracy": "accuracy/train_accuracy",
        "valLoss": "loss/val_loss",
        "valAccuracy": "accuracy/val_accuracy",
        "valMacroF1": "macro-f1/val_macro_f1",
    }.items():
        found = [(event.step, event.value) for event in events.Scalars(tag)]
        assert found == [(epoch["epoch"], float(numpy.float32(epoch[key]))) for epoch in model["epochs"]], tag
        scalars += len(found)
    (test,) = events.Scalars("test/accuracy")
    assert (test.step, test.value) == (model["kept"]["epoch"], float(numpy.float32(model["test"]["accuracy"])))
    (image,) = events.Images("confusion")
    picture = Image.open(io.BytesIO(image.encoded_image_string))
    assert picture.size == (image.width, image.height) and picture.mode == "RGBA"
    images += 1
    plugin = events.PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(plugin[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["learningRate"].number_value == model["learningRate"]
    assert start.hparams["model"].string_value == model["model"]
    assert start.hparams["augment"].bool_value is False
    experiment = metadata.parse_experiment_plugin_data(plugin[metadata.EXPERIMENT_TAG])
    assert {info.name for info in experiment.hparam_infos} == set(start.hparams)
    assert metadata.parse_session_end_info_plugin_data(plugin[metadata.SESSION_END_INFO_TAG]).status == 1
print(f"{len(folders)} models, {scalars} scalars, {images} images and all hyper-parameters as the run has them")
