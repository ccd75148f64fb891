#!/usr/bin/env python3
"""Makes the golden files in this folder.

Made with Python 3.11, numpy 2.4.6, Pillow 13.0.0, torch 2.15.0. Run it in this folder.

For each picture `NAME.EXT` there is what Pillow decodes, `NAME.npy`: bytes, C x H x W; `weighed.npy` is rgb.png
in grey. `resized-H-W.npy` is rgb.png through torch.nn.functional.interpolate(mode="bilinear", antialias=True), in
float, not rounded; `square-8-8.npy` likewise, see the end.
"""

import numpy as np
import torch
from PIL import Image

random = np.random.RandomState(1)
y, x = np.mgrid[0:20, 0:30]
rgb = np.stack([x * 8 % 256, (y * 12 + x) % 256, (x * y) % 256], -1).astype("u1")
rgb = np.clip(rgb.astype(int) + random.randint(-9, 9, rgb.shape), 0, 255).astype("u1")
color = Image.fromarray(rgb)


def save(picture, name, mode="RGB", **options):
    picture.save(name, **options)
    decoded = np.asarray(Image.open(name).convert(mode))
    planes = decoded.transpose(2, 0, 1) if mode == "RGB" else decoded[None]
    np.save(name.split(".")[0] + ".npy", np.ascontiguousarray(planes))


save(color, "rgb.png")
save(color.convert("L"), "grey.png", mode="L")
save(color.convert("P", palette=Image.ADAPTIVE, colors=16), "palette.png")
save(color.convert("RGBA"), "rgba.png")
save(color, "lossy.jpg", quality=90)
save(color.convert("P", palette=Image.ADAPTIVE, colors=16), "palette2.gif")
save(color, "plain.bmp")
save(color, "lossless.webp", lossless=True)
np.save("weighed.npy", np.asarray(color.convert("L"))[None])

planes = torch.tensor(rgb.transpose(2, 0, 1)[None].astype("f4"))
for size in [(10, 15), (14, 21), (32, 48), (2, 3)]:
    resized = torch.nn.functional.interpolate(planes, size, mode="bilinear", antialias=True)
    np.save(f"resized-{size[0]}-{size[1]}.npy", resized[0].numpy())
# A square from the middle: the picture shrinks to 8 x 12, and 2 columns go on each side.
whole = torch.nn.functional.interpolate(planes, (8, 12), mode="bilinear", antialias=True)
np.save("square-8-8.npy", whole[0, ..., 2:10].numpy())
