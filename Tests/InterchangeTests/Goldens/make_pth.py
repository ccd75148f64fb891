"""Makes the files of torch.save in this folder, and what torch.load makes of them as 32-bit floats.

    pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    python Tests/InterchangeTests/Goldens/make_pth.py

Beside NAME.pth a file .safetensors holds each tensor of the state dict as torch.load(…)[name].float(): one of its own,
or for files that hold the same, a common one. The older form calls storages by their addresses, so its bytes differ
each time.
"""

import argparse
import collections
import io
import pathlib
import zipfile

import numpy as np
import safetensors.torch
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


def dtypes():
    floats = [0.0, -0.0, 1.0, -1.5, 0.1, 1e-3, 240.0, 65504.0, float("inf"), float("-inf"), float("nan")]
    state = collections.OrderedDict()
    state["float64"] = torch.tensor(floats + [1e300, 1e-45, 5e-324, 16777217.0, 1 + 2**-24], dtype=torch.float64)
    state["float32"] = torch.tensor(floats + [1e-45, 3.4e38], dtype=torch.float32)
    state["float16"] = torch.tensor(floats + [6e-8], dtype=torch.float16)
    state["bfloat16"] = torch.tensor(floats + [1e-40], dtype=torch.bfloat16)
    for bits in (8, 16, 32, 64):
        most = 2 ** (bits - 1)
        state[f"int{bits}"] = torch.tensor([0, 1, -1, most - 1, -most, most // 3], dtype=getattr(torch, f"int{bits}"))
        unsigned = getattr(np, f"uint{bits}")
        state[f"uint{bits}"] = torch.from_numpy(np.array([0, 1, 2 * most - 1, most, most // 3], unsigned))
    state["bool"] = torch.tensor([True, False, True])
    every = torch.arange(256).to(torch.uint8)
    for name in ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"):
        state[name] = every.clone().view(getattr(torch, name))
    return state


def views():
    state = collections.OrderedDict()
    count = torch.arange(48, dtype=torch.float32) / 8 - 2
    state["contiguous"] = count.clone().reshape(2, 3, 8)
    state["channels_last"] = count.clone().reshape(2, 3, 2, 4).to(memory_format=torch.channels_last)
    state["transposed"] = count.clone().reshape(6, 8).t()
    state["permuted"] = count.clone().reshape(2, 4, 6).permute(2, 0, 1)
    shared = count.clone()
    state["row"] = shared.reshape(6, 8)[2]
    state["column"] = shared.reshape(6, 8)[:, 3]
    state["stepped"] = shared[5:40:7]
    state["corner"] = shared.reshape(6, 8)[1::2, 2::3]
    state["whole"] = shared
    state["tied"] = state["whole"]
    state["expanded"] = torch.tensor([[1.0], [2.0]]).expand(2, 5)
    state["scalar"] = torch.tensor(0.1)
    state["one of many"] = count.clone()[17]
    state["none"] = torch.zeros(3, 0, 2)
    state["ones"] = count.clone().as_strided((1, 4, 1), (99, 2, 77), 3)
    state["half"] = count.clone().half().reshape(6, 8).t()
    state["parameter"] = nn.Parameter(count[:5].clone())
    state["marked"] = nn.Parameter(count[:4].clone())
    state["marked"].group = "no decay"
    state["labelled"] = count[:6].clone()
    state["labelled"].source = "here"
    return state


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(2)
        self.fc = nn.Linear(2, 4)

    def forward(self, x):
        return self.fc(torch.relu(self.bn1(self.conv1(x))).mean((2, 3)))


def network():
    torch.manual_seed(1)
    return Net()


def checkpoint():
    """As timm's and torchvision's scripts write: wrapped, with an average, an optimizer, arguments and measures."""
    net = network()
    average = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.5))
    optimizer = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    for step in range(2):
        loss = net(torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(step))).square().sum()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(net)
    return {
        "epoch": 7,
        "arch": "net",
        "state_dict": nn.DataParallel(net).state_dict(),
        "model_ema": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "args": argparse.Namespace(lr=0.1, size=(224, 224), dtype=torch.bfloat16, device=torch.device("cpu")),
        "metric": np.float64(71.5),
        "best": None,
        "history": [{"top1": 0.5}, {"top1": 1.5}],
    }


def save(name, thing, expected=None, part=None, **options):
    stream = io.BytesIO()
    torch.save(thing, stream, **options)
    keep(name, stream.getvalue(), expected, part)
    return stream.getvalue()


def keep(name, data, expected=None, part=None):
    (HERE / f"{name}.pth").write_bytes(data)
    loaded = torch.load(io.BytesIO(data), weights_only=False)
    state = loaded[part] if part else loaded
    floats = {key: tensor.detach().float().clone().contiguous() for key, tensor in state.items()}
    path = HERE / f"{expected or name}.safetensors"
    if not expected:
        path.write_bytes(safetensors.torch.save(floats))
    for key, tensor in safetensors.torch.load_file(path).items():
        # torch.load takes storages of these types for bytes, and does not swap them.
        if name != "dtypes-big-endian" or key not in ("uint16", "uint32", "uint64"):
            assert tensor.numpy().tobytes() == floats[key].numpy().tobytes(), (name, key)


def swapped(data):
    """The archive as a machine with the highest byte first writes it."""
    source, stream = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("/byteorder"):
                content = b"big"
            if "/data/" in entry.filename:
                width = swapped.widths[entry.filename.rsplit("/", 1)[1]]
                content = b"".join(content[i : i + width][::-1] for i in range(0, len(content), width))
            target.writestr(zipfile.ZipInfo(entry.filename), content)
    return stream.getvalue()


def main():
    save("views", views())
    save("views-protocol4", views(), "views", pickle_protocol=4)
    save("views-old", views(), "views", _use_new_zipfile_serialization=False)
    save("checkpoint", checkpoint(), part="state_dict")
    ema = {key: tensor.float() for key, tensor in checkpoint()["model_ema"].items()}
    safetensors.torch.save_file(ema, HERE / "checkpoint-ema.safetensors")
    state = dtypes()
    data = save("dtypes", state)
    swapped.widths = {str(place): tensor.element_size() for place, tensor in enumerate(state.values())}
    keep("dtypes-big-endian", swapped(data), "dtypes")


main()
