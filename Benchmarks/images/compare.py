"""Images per second of one core by Reprise's input pipeline and by torchvision's and timm's, alternately, on the same JPEGs.

Decode, random resized crop to 224 x 224, flip, normalize. torchvision's transforms run on Pillow images and on
tensors that its own decoder made. With --rand-augment also RandAugment before normalizing, against timm on Pillow
images: rand-m7-mstd0.5-inc1 at magnitude 7, filters drawn at random, as recipe A1 has it.

A second is one of processor time, user's and system's, so that other programs beside it count little; Reprise's has the
start of its process in it. Medians over the rounds, and their ratios. Also compares images: the same window of each
file, on average over all bytes.
"""

import argparse
import pathlib
import resource
import statistics
import subprocess
import tempfile

import numpy as np
import torch
import torchvision
from PIL import Image
from timm.data import create_transform
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


def timm(magnitude):
    change = create_transform(
        224, is_training=True, auto_augment=f"rand-m{magnitude:g}-mstd0.5-inc1", interpolation="random",
        mean=MEAN, std=DEVIATION)  # fmt: skip
    return lambda path: change(Image.open(path).convert("RGB"))


def images_per_second(work, count, who):
    def seconds():
        usage = resource.getrusage(who)
        return usage.ru_utime + usage.ru_stime

    begun = seconds()
    work()
    return count / (seconds() - begun)


def differences(folder, paths):
    """Mean distance, in bytes, of the middle square of each file scaled to 224 x 224."""
    with tempfile.TemporaryDirectory() as place:
        script = f'write(images(folder("{folder}", 224), {len(paths)}, on: "train"), to: "images.npy")\n'
        (pathlib.Path(place) / "images.reprise").write_text(script)
        subprocess.run([REPRISE, "run", "images.reprise"], cwd=place, check=True)
        ours = np.load(pathlib.Path(place) / "images.npy")
    ours = (ours * np.reshape(DEVIATION, (3, 1, 1)) + np.reshape(MEAN, (3, 1, 1))) * 255
    distances = []
    for own, path in zip(ours, paths):
        image = decode_tensor(path)
        _, height, width = image.shape
        if (height - width) % 2:
            continue  # the square in the middle begins between two pixels, which torchvision's cannot
        side = min(height, width)
        square = functional.center_crop(image, [side, side])
        theirs = functional.resize(square, [224, 224], antialias=True).numpy()
        distances.append(np.abs(own - theirs).mean())
    return len(distances), np.mean(distances), np.max(distances)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="of JPEGs in a train and a val folder of classes, as make.py makes each")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--passes", type=int, default=3, help="over the folder, in a round")
    parser.add_argument("--rand-augment", type=float, metavar="MAGNITUDE", help="0 to 10")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = pathlib.Path(arguments.folder).resolve()
    paths = sorted((folder / "train").glob("*/*.jpg"))
    loaders = {"torchvision, Pillow": pillow(), "torchvision, tensors": tensors()}
    command = [REPRISE, "bench", "data", folder, "--threads", "1", "--steps", str(arguments.passes)]
    if arguments.rand_augment is not None:
        loaders = {"timm, Pillow": timm(arguments.rand_augment)}
        command += ["--rand-augment", str(arguments.rand_augment)]
    works = {"reprise": lambda: subprocess.run(command, check=True, capture_output=True)}
    for name, load in loaders.items():
        works[name] = lambda load=load: [load(path) for _ in range(arguments.passes) for path in paths]
    speeds = {name: [] for name in works}
    for _ in range(arguments.rounds):
        for name, work in works.items():
            who = resource.RUSAGE_CHILDREN if name == "reprise" else resource.RUSAGE_SELF
            speeds[name].append(images_per_second(work, arguments.passes * len(paths), who))
    ours = statistics.median(speeds["reprise"])
    for name, own in speeds.items():
        median = statistics.median(own)
        print(
            f"{name:22} {median:7.1f} images/s of one core ({min(own):.1f} to {max(own):.1f}), {ours / median:5.2f}")
    count, mean, largest = differences(folder, paths)
    print(f"the same window of {count} files differs by {mean:.2f} of 255 on average, {largest:.2f} at most")


main()
