"""Makes `imagenet.json`: what timm answers for each image of `DatasetsTests/Goldens/imagenet`.

    python3 imagenet.py

A ResNet-18 with weights by the formula of `make.py`, whose classifier has the bias that makes the answers differ.
"""

import json
import pathlib
import platform

import PIL
import timm
import torch
from PIL import Image

import make

HERE = pathlib.Path(__file__).parent
PICTURES = HERE.parents[1] / "DatasetsTests/Goldens/imagenet"
PROTOCOLS = [(96, 0.875, "bilinear"), (96, 0.95, "bicubic"), (64, 0.95, "bicubic")]

rows = [line.split() for line in (PICTURES / "val.txt").read_text().splitlines()]
classes = 4
model = timm.create_model("resnet18", num_classes=classes).eval()
with torch.no_grad():
    for name, value in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            value.copy_(torch.from_numpy(make.parameter(name, value.shape)))
    model.fc.bias.zero_()
    logits = []
    for size, crop, filter in PROTOCOLS:
        transform = timm.data.create_transform((3, size, size), is_training=False, interpolation=filter, crop_pct=crop)
        images = [transform(Image.open(PICTURES / "val" / name).convert("RGB")) for name, _ in rows]
        logits.append(model(torch.stack(images)))
    bias = -logits[0].mean(0)
    result = {
        "program": f"timm {timm.__version__}, torch {torch.__version__}, Pillow {PIL.__version__}, "
        f"Python {platform.python_version()}",
        "bias": [float(b) for b in bias],
        "protocols": [
            {"size": size, "crop": crop, "filter": filter, "logits": [[float(f"{x:.7g}") for x in row] for row in own + bias]}
            for (size, crop, filter), own in zip(PROTOCOLS, logits)
        ],
    }
(HERE / "imagenet.json").write_text(json.dumps(result, separators=(",", ":")).replace("[[", "\n[[") + "\n")
for (size, crop, filter), own in zip(PROTOCOLS, logits):
    print(size, crop, filter, (own + bias).argmax(1).bincount(minlength=classes).tolist(), (own + bias).std(0).tolist())
