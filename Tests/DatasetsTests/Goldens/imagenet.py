"""Makes `imagenet/`: a small ImageNet with flat validation images, and `imagenet.json`, what timm's transform shows of each.

    python3 imagenet.py

Noise and shapes, of every kind that ImageNet has. Of each transformed image 60 bytes are kept: number k is byte
k * 7919 modulo its count, of planes of red, green and blue.
"""

import importlib.util
import io
import json
import pathlib
import platform

import numpy as np
import PIL
import timm
from PIL import Image

HERE = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location("make", HERE.parents[2] / "Benchmarks/imagenet/make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)
make.SIZES = [(120, 90), (90, 120), (131, 87), (61, 75), (150, 40), (64, 64), (33, 101)]
WNIDS = ["n01440764", "n02119789", "n02123045", "n07831146"]
PROTOCOLS = [(56, 0.875, "bilinear"), (56, 0.95, "bicubic"), (40, 0.95, "bicubic"), (96, 1.0, "bilinear")]

folder = HERE / "imagenet"
(folder / "val").mkdir(parents=True, exist_ok=True)
files = []
for number in range(24):
    label = number * 7 % 11 % len(WNIDS)
    data = make.encoded(make.image(number, label, len(WNIDS)), number)
    name = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
    (folder / "val" / name).write_bytes(data)
    files.append((name, label, data))
(folder / "val.txt").write_text("".join(f"{name} {label}\n" for name, label, _ in files))
(folder / "synsets.txt").write_text("".join(f"{wnid}\n" for wnid in WNIDS))
answers = {
    "program": f"timm {timm.__version__}, Pillow {PIL.__version__}, Python {platform.python_version()}", "protocols": [],
}
for size, crop, filter in PROTOCOLS:
    transform = timm.data.create_transform(
        (3, size, size), is_training=False, interpolation=filter, crop_pct=crop, use_prefetcher=True)
    images = []
    for name, label, data in files:
        planes = np.asarray(transform(Image.open(io.BytesIO(data)).convert("RGB"))).reshape(-1)
        images.append({"name": name, "label": label, "bytes": [int(planes[k * 7919 % planes.size]) for k in range(60)]})
    answers["protocols"].append({"size": size, "crop": crop, "filter": filter, "images": images})
(HERE / "imagenet.json").write_text(json.dumps(answers, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
