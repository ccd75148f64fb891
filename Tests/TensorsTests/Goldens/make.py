#!/usr/bin/env python3
"""Makes the golden files in this folder.

Made with Python 3.11, numpy 2.4.6, safetensors 0.8.0, torch 2.15.0. Run it in this folder.

Element i of each array of 12 is: i (unsigned), i - 5 (signed), i / 2 - 2 (floats), i % 3 == 0 (bool).
"""

import numpy as np
import torch
from numpy.lib import format as npy
from safetensors.torch import save_file


def values(kind):
    i = np.arange(12)
    return {"u": i, "i": i - 5, "f": i / 2 - 2, "b": i % 3 == 0}[kind].reshape(3, 4)


for name in ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]:
    for order, word in [("<", "little"), (">", "big")]:
        if name[1] == "1" and order == ">":
            continue
        np.save(f"{name}-{word}.npy", values(name[0]).astype(order + name))

counting = np.arange(24, dtype="<f8").reshape(2, 3, 4)
np.save("fortran.npy", np.asfortranarray(counting))
for version in [1, 2, 3]:
    with open(f"version-{version}.npy", "wb") as file:
        npy.write_array(file, counting, version=(version, 0))
np.save("scalar.npy", np.float32(2.5))
np.save("empty.npy", np.zeros((0, 3), "<f4"))
np.save("complex.npy", np.zeros(2, "<c8"))
np.save("structure.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
np.save("large-number.npy", np.array([300], "<i8"))

types = {
    "bool": torch.bool, "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32,
    "i64": torch.int64, "f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64,
}
save_file(
    {name: torch.tensor(values(name[0] if name != "bf16" else "f")).to(kind) for name, kind in types.items()},
    "types.safetensors", metadata={"format": "pt", "note": "π \"quoted\""})
save_file(
    {"conv.weight": torch.arange(24.0).reshape(2, 3, 4), "bias": torch.tensor(-1.5), "none": torch.zeros(0, 3)},
    "floats.safetensors", metadata={"format": "pt"})
