#!/usr/bin/env python3
"""Makes the golden files in this folder.

Made with Python 3.11, numpy 2.4.6, Pillow 13.0.0. Run it in this folder.

For each image `NAME.EXT` there is what Pillow decodes, `NAME.npy`: bytes, C x H x W; `weighed.npy` is rgb.png
in grey; `inks.npy` is inks.jpg, in cyan, magenta, yellow and black. `resized-H-W-FILTER.npy` is rgb.png through
Image.resize, `boxed-H-W-FILTER.npy` the same of the box (left, top, right, bottom) below.
"""

import numpy as np
from PIL import Image

random = np.random.RandomState(1)
y, x = np.mgrid[0:20, 0:30]
rgb = np.stack([x * 8 % 256, (y * 12 + x) % 256, (x * y) % 256], -1).astype("u1")
rgb = np.clip(rgb.astype(int) + random.randint(-9, 9, rgb.shape), 0, 255).astype("u1")
color = Image.fromarray(rgb)


def save(image, name, mode="RGB", **options):
    image.save(name, **options)
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

color.convert("CMYK").save("inks.jpg", quality=95)
inks = np.asarray(Image.open("inks.jpg").convert("RGB")).transpose(2, 0, 1)
np.save("inks.npy", np.ascontiguousarray(inks))

filters = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
for name, kind in filters.items():
    for height, width in [(10, 15), (14, 21), (32, 48), (2, 3)]:
        resized = np.asarray(color.resize((width, height), kind)).transpose(2, 0, 1)
        np.save(f"resized-{height}-{width}-{name}.npy", np.ascontiguousarray(resized))
    # The largest square in the middle, seen with what is around it.
    boxed = np.asarray(color.resize((8, 8), kind, box=(5, 0, 25, 20))).transpose(2, 0, 1)
    np.save(f"boxed-8-8-{name}.npy", np.ascontiguousarray(boxed))

# Smooth, as photographs are, with its colour at half of the size; and no multiple of a block.
y, x = np.mgrid[0:150, 0:200]
waves = [128 + 90 * np.sin(x / (17 + 9 * c)) * np.cos(y / (11 + 7 * c) + c) for c in range(3)]
large = np.stack(waves, -1) + random.normal(0, 4, (150, 200, 3))
Image.fromarray(large.clip(0, 255).astype("u1")).save("large.jpg", quality=90, subsampling="4:2:0")
