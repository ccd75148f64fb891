"""Images per second and core of Reprise's input pipeline and of torchvision's, alternately, on the same JPEGs.

Decode, random resized crop to 224 x 224, flip, normalize. torchvision's transforms run on Pillow pictures and on
tensors that its own decoder made. Also compares pictures: the same window of each file, on average over all bytes.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

REPRISE = pathlib.Path(".build/release/reprise").resolve()
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def decode_tensor(path):
    return torchvision.io.decode_jpeg(torchvision.io.read_file(str(path)), torchvision.io.ImageReadMode.RGB)


def pillow():
    change = v2.Compose([
        v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.PILToTensor(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION),
    ])  # fmt: skip
    return lambda path: change(Image.open(path).convert("RGB"))


def tensors():
    change = v2.Compose([
        v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION),
    ])  # fmt: skip
    return lambda path: change(decode_tensor(path))


def images_per_second(load, paths):
    begun = time.perf_counter()
    for path in paths:
        load(path)
    return len(paths) / (time.perf_counter() - begun)


def differences(folder, paths):
    """Mean distance, in bytes, of the middle square of each file scaled to 224 x 224."""
    with tempfile.TemporaryDirectory() as place:
        script = f'write(pictures(folder("{folder}", 224), {len(paths)}, of: "train"), to: "pictures.npy")\n'
        (pathlib.Path(place) / "pictures.reprise").write_text(script)
        subprocess.run([REPRISE, "run", "pictures.reprise"], cwd=place, check=True)
        ours = np.load(pathlib.Path(place) / "pictures.npy")
    ours = (ours * np.reshape(DEVIATION, (3, 1, 1)) + np.reshape(MEAN, (3, 1, 1))) * 255
    distances = []
    for own, path in zip(ours, paths):
        picture = decode_tensor(path)
        _, height, width = picture.shape
        if (height - width) % 2:
            continue  # the square in the middle begins between two pixels, which torchvision's cannot
        side = min(height, width)
        square = functional.center_crop(picture, [side, side])
        theirs = functional.resize(square, [224, 224], antialias=True).numpy()
        distances.append(np.abs(own - theirs).mean())
    return len(distances), np.mean(distances), np.max(distances)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of JPEGs in a train and a val folder of classes, as make.py makes each")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = pathlib.Path(arguments.folder).resolve()
    paths = sorted((folder / "train").glob("*/*.jpg"))
    loaders = {"torchvision, Pillow": pillow(), "torchvision, tensors": tensors()}
    best = {}
    for _ in range(arguments.rounds):
        command = [REPRISE, "bench", "data", folder, "--threads", "1", "--steps", "1", "--json"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        best["reprise"] = max(best.get("reprise", 0), found["imagesPerSecond"])
        for name, load in loaders.items():
            best[name] = max(best.get(name, 0), images_per_second(load, paths))
    for name, speed in best.items():
        print(f"{name:22} {speed:7.1f} images/s on one core, {best['reprise'] / speed:5.2f}")
    count, mean, largest = differences(folder, paths)
    print(f"the same window of {count} files differs by {mean:.2f} of 255 on average, {largest:.2f} at most")


main()
