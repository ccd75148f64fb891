#!/usr/bin/env python3
"""Makes augment.json, scene-*.npy: images, and what timm and torchvision make of them through Pillow.

Made with Python 3.11, numpy 2.4.6, Pillow 13.0.0, timm 1.0.31, torchvision 0.29.2, scikit-learn 1.9. Run it in this
folder.

An image is named by the CRC-32 of its bytes, C x H x W, so that one number stands for all of them.
"""

import json
import random
import zlib

import numpy as np
import timm.data.auto_augment as timm_augment
from PIL import Image
from sklearn.datasets import load_sample_images
from timm.data.distributed_sampler import RepeatAugSampler
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision.transforms import functional

china, flower = (Image.fromarray(image) for image in load_sample_images().images)
SCENES = {
    "china": china.resize((64, 48), Image.BICUBIC, box=(100, 60, 420, 300)),
    "flower": flower.resize((45, 61), Image.BICUBIC, box=(180, 40, 480, 400)),
    "dark": flower.resize((40, 40), Image.BICUBIC, box=(0, 0, 90, 90)).point(lambda x: x // 3 + 20),
    "grey": china.convert("L").resize((50, 41), Image.BICUBIC, box=(200, 100, 500, 346)),
}
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
LEVELS = [0.0, 0.7, 3.3, 5.0, 7.0, 7.6, 9.9, 10.0]
MEAN = {"RGB": (124, 116, 104), "L": 117}


def planes(image):
    pixels = np.asarray(image)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None])


def crc(image):
    return zlib.crc32(planes(image).tobytes())


def lowered(name):
    name = name.removesuffix("Increasing").removesuffix("Rel")
    return name[0].lower() + name[1:]


operations = []
for name, scene in SCENES.items():
    np.save(f"scene-{name}.npy", planes(scene))
    for increasing in [False, True]:
        for operation in timm_augment.rand_augment_choices("", increasing=increasing):
            for level in LEVELS:
                for negative in [False, True]:
                    timm_augment._randomly_negate = lambda value: -value if negative else value
                    function = timm_augment.LEVEL_TO_ARG[operation]
                    found = function(level, {}) if function else ()
                    moves = operation in ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")
                    if not moves and negative and not operation.endswith("Increasing"):
                        continue
                    if not moves and increasing and not operation.endswith("Increasing"):
                        continue
                    for filter in FILTERS if moves else ["bilinear"]:
                        if operation.startswith("Posterize") and found[0] == 0:
                            continue  # Pillow refuses no bits at all from version 13 on
                        change = timm_augment.NAME_TO_OP[operation]
                        if increasing and moves or level in (0.7, 5.0, 9.9) and name != "china":
                            continue
                        changed = change(scene, *found, fillcolor=MEAN[scene.mode], resample=FILTERS[filter])
                        row = [name, lowered(operation), increasing, level, negative, filter, crc(changed)]
                        operations.append(row)

hues = []
for name, scene in SCENES.items():
    for turn in [-0.5, -0.31, -0.1, -0.001, 0.0, 0.05, 0.2, 0.4, 0.5]:
        hues.append([name, turn, crc(functional.adjust_hue(scene, turn))])

tests = []
for name, scene in SCENES.items():
    for filter in FILTERS:
        for size, crop in [(24, 0.875), (20, 0.95), (33, 1.0), (50, 0.875)]:
            transform = transforms_imagenet_eval(size, crop, interpolation=filter, normalize=False)
            shown = transform(scene).numpy()
            tests.append([name, filter, size, crop, zlib.crc32(np.ascontiguousarray(shown).tobytes())])

samplers = []
for count, world in [(1000, 1), (1000, 4), (255, 2), (100, 3), (256, 1), (700, 8)]:
    for rank in {0, world - 1}:
        sampler = RepeatAugSampler(range(count), num_replicas=world, rank=rank, shuffle=False)
        places = list(sampler)
        samplers.append([count, world, rank, len(sampler), places[:20] + places[-20:]])

lines = {"operations": operations, "hues": hues, "tests": tests, "samplers": samplers}
with open("augment.json", "w") as file:
    rows = (f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in lines[key]) + "\n]" for key in lines)
    file.write("{" + ",\n".join(rows) + "}\n")
