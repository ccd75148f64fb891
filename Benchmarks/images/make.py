"""Makes a folder of JPEGs of ImageNet's sizes: parts of scikit-learn's two sample photographs, scaled and noisy.

make.py FOLDER [COUNT]: two classes, quality 75 to 96, colour at half of the size, mostly 500 x 375 as in ImageNet.
Made with scikit-learn 1.9, Pillow 13.0; the same files each time.
"""

import pathlib
import random
import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

SIZES = [(500, 375)] * 6 + [(375, 500)] * 2 + [(500, 334), (640, 480), (1024, 768), (1600, 1200)]

folder = pathlib.Path(sys.argv[1])
count = int(sys.argv[2]) if len(sys.argv) > 2 else 240
draw = random.Random(1)
photographs = [Image.fromarray(image) for image in load_sample_images().images]
for number in range(count):
    label = number % 2
    photograph = photographs[label]
    width, height = SIZES[number // 2 % len(SIZES)]
    part = draw.uniform(0.5, 1) * min(photograph.width / width, photograph.height / height)
    left = draw.uniform(0, photograph.width - width * part)
    top = draw.uniform(0, photograph.height - height * part)
    box = (left, top, left + width * part, top + height * part)
    image = np.asarray(photograph.resize((width, height), Image.BICUBIC, box=box), dtype="i2")
    noise = np.random.RandomState(number).normal(0, 6, image.shape)
    where = folder / ["china", "flower"][label]
    where.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray((image + noise).clip(0, 255).astype("u1"))
    image.save(where / f"{number:04}.jpg", quality=draw.randint(75, 96), subsampling="4:2:0")
