#!/usr/bin/env python3
"""Holds Reprise's answers on a made ImageNet to timm's, image by image: compare.py FOLDER [FORM …].

FOLDER is what make.py made. For each form and protocol, Reprise evaluates the safetensors file; its five largest classes of
each image are compared with timm's, and its logits are, too. A pair of classes whose logits lie closer together than
NEAR may change places. Exits with 1 where anything else differs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

REPRISE = pathlib.Path(__file__).resolve().parents[2] / ".build/release/reprise"
FORMS = ["folders", "flat", "groundtruth", "synsets", "kaggle", "tars", "shards"]
NEAR = 1e-4


def run(script, folder):
    finished = subprocess.run([REPRISE], input=script, capture_output=True, text=True, cwd=folder)
    if finished.returncode:
        sys.exit(f"{finished.stdout}{finished.stderr}")
    return finished.stdout


def main(folder, forms):
    folder = pathlib.Path(folder).resolve()
    answers = json.loads((folder / "answers.json").read_text())
    print(answers["program"])
    wrong = 0
    for form in forms:
        for protocol in answers["protocols"]:
            rows = sorted(protocol["images"], key=lambda row: row["name"])
            if form == "folders":
                rows.sort(key=lambda row: row["label"])
            if form == "shards":
                rows = [row for shard in range(3) for row in rows[shard::3]]
            with tempfile.TemporaryDirectory() as place:
                text = run(
                    f'data = imagenet("{folder / form}", size: {protocol["size"]}, crop: {protocol["crop"]}, '
                    f'filter: "{protocol["filter"]}")\n'
                    f'model = load(resnet18(classes: data.classes), "{folder / "resnet18.safetensors"}")\n'
                    "e = evaluate(model, data)\nprint(e.correct, e.top5, e.count)\n"
                    'write(predict(model, images(data, data.validation)), to: "logits.npy")\n'
                    + ("answers = topLosses(model, data, data.validation)\n"
                       'write(join([a.label for a in sort(answers, by: a => a.index)], " "), to: "labels.txt")\n'
                       if protocol is answers["protocols"][0] else ""), place)
                logits = np.load(pathlib.Path(place) / "logits.npy")
                if protocol is answers["protocols"][0]:
                    labels = (pathlib.Path(place) / "labels.txt").read_text().split()
            correct, five, count = text.split()[-3:]
            expected = np.array([row["logits"] for row in rows], "f4")
            own = np.argsort(-logits, axis=1, kind="stable")[:, :5]
            same, near, other = 0, 0, 0
            for row, order, ours, theirs in zip(rows, own, logits, expected):
                if list(order) == row["top5"]:
                    same += 1
                elif np.abs(ours - theirs).max() < NEAR and np.abs(np.sort(theirs[order]) - np.sort(theirs[row["top5"]])).max() < NEAR:
                    near += 1
                else:
                    other += 1
            names = {row["label"]: name for row, name in zip(rows, labels)}
            # Every label must be one class throughout, in the order of the names.
            consistent = all(names[row["label"]] == name for row, name in zip(rows, labels)) and [
                names[label] for label in sorted(names)] == sorted(names.values())
            timm_hits = sum(row["top5"][0] == row["label"] for row in rows)
            timm_five = sum(row["label"] in row["top5"] for row in rows)
            agrees = int(correct) == timm_hits and round(float(five) * int(count) / 100) == timm_five
            print(
                f"{form} {protocol['size']} {protocol['crop']} {protocol['filter']}: {same} of {len(rows)} images alike in all "
                f"five, {near} but for logits that are alike, {other} not; top-1 {correct} (timm {timm_hits}), top-5 {five} % (timm "
                f"{100 * timm_five / len(rows):g}); logits differ by at most {np.abs(logits - expected).max():.2g} of "
                f"{np.abs(expected).max():.2g}")
            wrong += other + (not agrees) + (not consistent) + (int(count) != len(rows))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or FORMS)
