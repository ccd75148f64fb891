"""Makes a small ImageNet in each of its forms, a network with random weights, and what timm answers for each image.

make.py FOLDER [PICTURES [CLASSES]]: 240 images to measure on and half as many to train on, in 8 classes, unless told.

Noise and shapes in JPEGs of odd sizes and of every kind that ImageNet has: colour in full and in half size, grey, four
inks (CMYK and YCCK), progressive, turned by a mark of orientation, a PNG under the name of a JPEG, several images in
one file, and images smaller than the crop.

    folders/    train/WNID/*.JPEG, val/WNID/*.JPEG
    flat/       val/*.JPEG beside val.txt;  groundtruth/, synsets/, kaggle/: beside other files with labels
    tars/       ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar
    shards/     imagenet-train-000000.tar …, imagenet-val-000000.tar …
    resnet18.safetensors
    answers.json    for each protocol and image: the five largest classes, timm's logits, the label
"""

import io
import json
import pathlib
import platform
import random
import sys
import tarfile

import numpy as np
import PIL
import timm
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

# Not in the order of their ILSVRC2012_IDs, as in ImageNet.
IDS = [3, 1, 7, 2, 8, 5, 4, 6]
# Test size, crop and filter: torchvision's first recipe and Deci's; A1 and A2; A3; a larger one.
PROTOCOLS = [(224, 0.875, "bilinear"), (224, 0.95, "bicubic"), (160, 0.95, "bicubic"), (288, 1.0, "bicubic")]
SIZES = [(500, 375)] * 4 + [(375, 500), (500, 333), (333, 500), (640, 427), (230, 301), (150, 113), (97, 341), (800, 201)]


def image(number, label, classes):
    """A class is a hue, a slope and a shape; the rest is drawn."""
    draw = random.Random(number)
    width, height = SIZES[number % len(SIZES)]
    noise = np.random.RandomState(number)
    y, x = np.mgrid[0:height, 0:width] / 32
    angle = np.pi * label / classes
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * draw.uniform(0.7, 2))
    colour = 0.5 + 0.5 * np.cos(2 * np.pi * (label / classes + np.arange(3) / 3))
    pixels = 128 + 70 * wave[..., None] * colour + noise.normal(0, 20, (height, width, 3))
    image = Image.fromarray(np.clip(pixels, 0, 255).astype("u1"))
    canvas = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = draw.uniform(0, width), draw.uniform(0, height)
        box = [left, top, left + draw.uniform(8, 150), top + draw.uniform(8, 150)]
        fill = tuple(draw.randrange(256) for _ in range(3))
        (canvas.ellipse if (label + draw.randrange(2)) % 2 else canvas.rectangle)(box, fill=fill)
    return image


def encoded(image, number):
    """The bytes of a file, of another kind for most numbers."""
    out = io.BytesIO()
    kind = number % 16
    quality = 70 + number % 28
    exif = Image.Exif()
    exif[0x0112] = 2 + number % 7
    if kind == 1:
        image.convert("L").save(out, "JPEG", quality=quality)
    elif kind == 2:
        image.convert("CMYK").save(out, "JPEG", quality=quality)
    elif kind == 3:
        image.save(out, "JPEG", quality=quality, exif=exif)
    elif kind == 4:
        image.save(out, "PNG")
    elif kind == 5:
        image.save(out, "JPEG", quality=quality, progressive=True, subsampling=0)
    elif kind == 6:
        image.save(out, "MPO", save_all=True, append_images=[image.rotate(180)], quality=quality)
    elif kind == 7:
        image.convert("RGBA").save(out, "PNG")
    elif kind == 8:
        image.save(out, "JPEG", quality=quality, subsampling=1)
    elif kind == 9:
        image.convert("P", palette=Image.Palette.ADAPTIVE).save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=quality)
    data = bytearray(out.getvalue())
    if kind == 2 and number % 32 > 16:
        # Adobe's mark says that brightness, two colours and black are stored: YCCK.
        data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def add(archive, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def main(folder, count=240, classes=8):
    folder = pathlib.Path(folder)
    wnids = sorted(f"n{random.Random(label).randrange(10**7, 10**8):08d}" for label in range(classes))
    order = random.Random(0).sample(range(count), count)
    validation, training = [], []
    for number in range(count):
        label = order[number] % classes
        name = f"ILSVRC2012_val_{number + 1:08d}.JPEG"
        validation.append((name, label, encoded(image(number, label, classes), number)))
    for number in range(count // 2):
        label = number % classes
        name = f"{wnids[label]}_{number}.JPEG"
        training.append((name, label, encoded(image(10**6 + number, label, classes), number)))

    def write(place, data):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    for name, label, data in training:
        for form in ["folders", "flat"]:
            write(f"{form}/train/{wnids[label]}/{name}", data)
    for name, label, data in validation:
        write(f"folders/val/{wnids[label]}/{name}", data)
        for form in ["flat/val", "groundtruth/val", "synsets/val", "kaggle/ILSVRC/Data/CLS-LOC/val"]:
            write(f"{form}/{name}", data)
    named = "".join(f"{name} {label}\n" for name, label, _ in validation)
    write("flat/val.txt", named)
    write("synsets/imagenet_2012_validation_synset_labels.txt", "".join(f"{wnids[l]}\n" for _, l, _ in validation))
    ids = {label: IDS[label] if classes == len(IDS) else classes - label for label in range(classes)}
    write(
        "groundtruth/ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
        "".join(f"{ids[label]}\n" for _, label, _ in validation))
    write(
        "groundtruth/ILSVRC2012_devkit_t12/data/map_clsloc.txt",
        "".join(f"{wnids[label]} {number} thing_{label}\n" for label, number in sorted(ids.items(), key=lambda i: i[1])))
    write(
        "kaggle/LOC_val_solution.csv", "ImageId,PredictionString\n" + "".join(
            f"{name.split('.')[0]},{wnids[label]} 1 2 30 40 {wnids[label]} 5 6 70 80 \n"
            for name, label, _ in reversed(validation)))
    write("kaggle/LOC_synset_mapping.txt", "".join(f"{wnid} thing, other name\n" for wnid in wnids))

    (folder / "tars").mkdir(exist_ok=True)
    with tarfile.open(folder / "tars/ILSVRC2012_img_train.tar", "w", format=tarfile.USTAR_FORMAT) as outer:
        for label in reversed(range(classes)):
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w", format=tarfile.GNU_FORMAT) as archive:
                for name, own, data in training:
                    if own == label:
                        add(archive, name, data)
            add(outer, f"{wnids[label]}.tar", inner.getvalue())
    with tarfile.open(folder / "tars/ILSVRC2012_img_val.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, _, data in reversed(validation):
            add(archive, name, data)
    write("tars/val.txt", named)

    (folder / "shards").mkdir(exist_ok=True)
    for part, samples in [("train", training), ("val", validation)]:
        for shard in range(3):
            with tarfile.open(folder / f"shards/imagenet-{part}-{shard:06d}.tar", "w") as archive:
                for number, (name, label, data) in enumerate(samples[shard::3]):
                    key = name.split(".")[0]
                    add(archive, f"{key}.jpg", data)
                    if number % 2:
                        add(archive, f"{key}.cls", str(label).encode())
                    add(archive, f"{key}.json", json.dumps({"filename": name, "label": label}).encode())

    torch.manual_seed(1)
    model = timm.create_model("resnet18", num_classes=classes, zero_init_last=False)
    # Random statistics and scales, else all answers are alike.
    for name, value in model.state_dict().items():
        if "running_var" in name:
            value.uniform_(0.5, 1.5)
        elif "running_mean" in name or name.endswith(("bn1.bias", "bn2.bias")):
            value.normal_(0, 0.1)
    model.eval()
    # The classifier sees what differs between images.
    transform = timm.data.create_transform((3, 224, 224), is_training=False)
    with torch.no_grad():
        sample = [transform(Image.open(io.BytesIO(data)).convert("RGB")) for _, _, data in validation[:64]]
        features = model.forward_head(model.forward_features(torch.stack(sample)), pre_logits=True)
        middle = features.mean(0)
        # Along the main directions in which images differ, but for the first, in which sizes differ.
        directions = torch.linalg.svd(features - middle, full_matrices=False).Vh[1:1 + 2 * classes]
        weight = torch.randn(classes, len(directions)) @ (directions / ((features - middle) @ directions.T).std(0)[:, None])
        model.fc.weight.copy_(weight)
        model.fc.bias.copy_(-(weight @ middle))
    save_file(model.state_dict(), folder / "resnet18.safetensors")
    answers = {
        "program": f"timm {timm.__version__}, torch {torch.__version__}, Pillow {PIL.__version__}, "
        f"Python {platform.python_version()}",
        "protocols": [],
    }
    torch.set_num_threads(1)
    for size, crop, filter in PROTOCOLS:
        transform = timm.data.create_transform(
            (3, size, size), is_training=False, interpolation=filter, crop_pct=crop, mean=timm.data.IMAGENET_DEFAULT_MEAN,
            std=timm.data.IMAGENET_DEFAULT_STD)
        rows = []
        with torch.no_grad():
            for start in range(0, count, 20):
                batch = validation[start:start + 20]
                images = [transform(Image.open(io.BytesIO(data)).convert("RGB")) for _, _, data in batch]
                for (name, label, _), logits in zip(batch, model(torch.stack(images))):
                    rows.append({
                        "name": name, "label": label, "top5": logits.topk(min(5, classes)).indices.tolist(),
                        "logits": [round(float(x), 6) for x in logits],
                    })
        correct = sum(row["top5"][0] == row["label"] for row in rows)
        five = sum(row["label"] in row["top5"] for row in rows)
        print(f"{size} {crop} {filter}: {correct} and {five} of {count}")
        answers["protocols"].append({"size": size, "crop": crop, "filter": filter, "images": rows})
    write("answers.json", json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
