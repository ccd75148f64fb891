#!/usr/bin/env python3
"""Makes kinds.json: image files of every kind that is accepted, and what Pillow decodes them to.

Made with Python 3.11, numpy 2.4.6, Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0), and cjpeg of libjpeg-turbo 2.1.5
for the JPEG kinds that Pillow cannot write. Run it in this folder.

Kinds that no common program writes are put together here, byte by byte. For each of `files`: its name, its bytes in
base64, height and width, and the CRC-32 of the bytes (H x W x 3) of `Image.open(file).convert("RGB")`, which is what
torchvision's `pil_loader` gives. For each of `oriented`, files with an EXIF orientation, the same after
`ImageOps.exif_transpose`.
"""

import base64
import io
import itertools
import json
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageOps

random = np.random.RandomState(7)
files = {}

# --- PNG ---------------------------------------------------------------------------------------------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(row, depth):
    """Samples of a row, as a PNG's or a BMP's bytes."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype("u1").tobytes()
    bits = ((row[:, None] >> np.arange(depth)[::-1]) & 1).reshape(-1)
    return np.packbits(bits.astype("u1")).tobytes()


def filtered(rows, step):
    """Rows with PNG's filters, which take turns."""
    before, out = bytes(len(rows[0])) if rows else b"", b""
    for number, row in enumerate(rows):
        kind = number % 5
        line = bytearray()
        for i, byte in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = before[i]
            c = before[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((byte - [0, a, b, (a + b) // 2, paeth][kind]) & 255)
        out += bytes([kind]) + line
        before = row
    return out


def png(samples, depth, color, before=b"", after=b"", interlaced=False, data=None):
    """A PNG of samples H x W x channels, with chunks before and after PLTE."""
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)

    def lines(part):
        return [packed(row.reshape(-1), depth) for row in part] if part.size else []

    if interlaced:
        body = b"".join(filtered(lines(samples[y::dy, x::dx]), step) for x, y, dx, dy in ADAM7)
    else:
        body = filtered(lines(samples), step)
    packed_data = zlib.compress(body)
    # In two pieces, as a file may have it.
    half = len(packed_data) // 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced)))
        + before + after
        + (chunk(b"IDAT", packed_data[:half]) + chunk(b"IDAT", packed_data[half:]) if data is None else data(packed_data))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def samples(color, depth, height=7, width=11, most=None):
    return random.randint(0, most or 1 << depth, (height, width, CHANNELS[color]))


def palette(count):
    return chunk(b"PLTE", random.randint(0, 256, 3 * count).astype("u1").tobytes())


KINDS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [
    (c, d) for c in (4, 6) for d in (8, 16)]  # fmt: skip
for (color, depth), interlaced in itertools.product(KINDS, (False, True)):
    name = f"png-{color}-{depth}" + ("-interlaced" if interlaced else "")
    colors = palette(1 << depth) if color == 3 else b""
    files[name] = png(samples(color, depth), depth, color, colors, interlaced=interlaced)
    if color == 0:
        value = chunk(b"tRNS", struct.pack(">H", (1 << depth) // 2))
        files[name + "-transparent"] = png(samples(color, depth), depth, color, value, interlaced=interlaced)
    if color == 2:
        part = samples(color, depth)
        value = chunk(b"tRNS", struct.pack(">HHH", *part[2, 3]))
        files[name + "-transparent"] = png(part, depth, color, value, interlaced=interlaced)
    if color == 3:
        alphas = chunk(b"tRNS", random.randint(0, 256, max(1, (1 << depth) // 2)).astype("u1").tobytes())
        files[name + "-transparent"] = png(samples(color, depth), depth, color, colors, alphas, interlaced=interlaced)
colors = palette(5)
files["png-3-8-few"] = png(samples(3, 8, most=5), 8, 3, colors)
files["png-3-4-beyond"] = png(samples(3, 4), 4, 3, colors)
files["png-3-1-clear"] = png(
    samples(3, 1), 1, 3, chunk(b"PLTE", bytes([34, 64, 182, 200, 10, 20])), chunk(b"tRNS", b"\0"))
files["png-3-8-clear"] = png(samples(3, 8), 8, 3, palette(256), chunk(b"tRNS", bytes(256)))
files["png-2-8-palette"] = png(samples(2, 8), 8, 2, palette(7))
gamma = chunk(b"gAMA", struct.pack(">I", 45455))
for color, depth in [(0, 8), (0, 16), (2, 8), (2, 16), (3, 8), (6, 8), (6, 16)]:
    own = palette(1 << depth) if color == 3 else b""
    part = samples(color, depth)
    files[f"png-{color}-{depth}-gamma"] = png(part, depth, color, chunk(b"gAMA", struct.pack(">I", 100000)) + own)
    files[f"png-{color}-{depth}-srgb"] = png(part, depth, color, chunk(b"sRGB", b"\0") + gamma + own)
    files[f"png-{color}-{depth}-background"] = png(
        part, depth, color, own,
        chunk(b"bKGD", {0: b"\0\1", 2: bytes(6), 3: b"\1", 6: bytes(6)}[color]) + chunk(b"sBIT", {
            0: b"\5", 2: b"\5\6\5", 3: b"\5\5\5", 6: b"\5\5\5\5"}[color]))  # fmt: skip
chromaticities = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
files["png-2-8-chromaticities"] = png(samples(2, 8), 8, 2, chromaticities + gamma)
for height, width in [(1, 1), (1, 9), (9, 1), (2, 3), (3, 2), (8, 8), (5, 17)]:
    for interlaced in (False, True):
        name = f"png-2-8-{height}x{width}" + ("-interlaced" if interlaced else "")
        files[name] = png(samples(2, 8, height, width), 8, 2, interlaced=interlaced)
        name = f"png-0-1-{height}x{width}" + ("-interlaced" if interlaced else "")
        files[name] = png(samples(0, 1, height, width), 1, 0, interlaced=interlaced)


def control(number, width, height):
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0))


other = zlib.compress(filtered([packed(row.reshape(-1), 8) for row in samples(6, 8)], 4))
animation = chunk(b"acTL", struct.pack(">II", 2, 0))
files["apng-first"] = png(
    samples(6, 8), 8, 6, animation, data=lambda body: control(0, 11, 7) + chunk(b"IDAT", body)
    + control(1, 11, 7) + chunk(b"fdAT", struct.pack(">I", 2) + other))  # fmt: skip
files["apng-apart"] = png(
    samples(6, 8), 8, 6, animation, data=lambda body: chunk(b"IDAT", body)
    + control(0, 11, 7) + chunk(b"fdAT", struct.pack(">I", 1) + other)
    + control(2, 11, 7) + chunk(b"fdAT", struct.pack(">I", 3) + other))  # fmt: skip

# --- GIF ---------------------------------------------------------------------------------------------------------------


def lzw(data, bits, clears=True):
    """GIF's codes for a row of samples. Without clearing, the table stays full once it is."""
    clear = 1 << bits
    codes, table, size, following = [(clear, bits + 1)], {}, bits + 1, clear + 2

    def reset():
        nonlocal table, size, following
        table, size, following = {bytes([i]): i for i in range(clear)}, bits + 1, clear + 2

    reset()
    word = b""
    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
            continue
        codes.append((table[word], size))
        if following < 4096:
            table[longer] = following
            if following == 1 << size and size < 12:
                size += 1
            following += 1
        elif clears:
            codes.append((clear, size))
            reset()
        word = bytes([byte])
    codes.append((table[word], size))
    if following == 1 << size and size < 12:
        size += 1
    codes.append((clear + 1, size))
    number = shift = 0
    for code, length in codes:
        number |= code << shift
        shift += length
    body = number.to_bytes((shift + 7) // 8, "little")
    blocks = b"".join(bytes([len(body[i : i + 255])]) + body[i : i + 255] for i in range(0, len(body), 255))
    return bytes([bits]) + blocks + b"\0"


def frame(part, bits, at=(0, 0), colors=None, interlaced=False, clear=None, dispose=0, clears=True):
    height, width = part.shape
    rows = list(range(height))
    if interlaced:
        rows = [*rows[0::8], *rows[4::8], *rows[2::4], *rows[1::2]]
    flags = (0x40 if interlaced else 0) | (0x80 | (len(colors) // 3).bit_length() - 2 if colors else 0)
    out = b""
    if clear is not None or dispose:
        out += b"!\xf9\x04" + struct.pack("<BHB", dispose << 2 | (clear is not None), 5, clear or 0) + b"\0"
    out += b"," + struct.pack("<HHHHB", at[0], at[1], width, height, flags) + (colors or b"")
    return out + lzw(part[rows].astype("u1").tobytes(), max(2, bits), clears)


def gif(frames, width, height, colors=None, version=b"89a", background=0):
    flags = 0x80 | (len(colors) // 3).bit_length() - 2 if colors else 0
    return (
        b"GIF" + version + struct.pack("<HHBBB", width, height, flags, background, 0) + (colors or b"")
        + b"".join(frames) + b";")  # fmt: skip


def table(bits):
    return random.randint(0, 256, 3 << bits).astype("u1").tobytes()


def indices(bits, height=7, width=11):
    return random.randint(0, 1 << bits, (height, width))


greys = bytes(b for i in range(256) for b in (i, i, i))
for bits in range(1, 9):
    files[f"gif-{bits}"] = gif([frame(indices(bits), bits)], 11, 7, table(bits), b"87a")
    files[f"gif-{bits}-interlaced"] = gif([frame(indices(bits, 13), bits, interlaced=True)], 11, 13, table(bits))
    files[f"gif-{bits}-local"] = gif([frame(indices(bits), bits, colors=table(bits))], 11, 7, table(3))
    files[f"gif-{bits}-transparent"] = gif([frame(indices(bits), bits, clear=1)], 11, 7, table(bits))
    files[f"gif-{bits}-animated"] = gif(
        [frame(indices(bits), bits, clear=0), frame(indices(bits), bits), frame(indices(bits), bits, dispose=2)],
        11, 7, table(bits))  # fmt: skip
part, colors = indices(3, 4, 5), table(3)
files["gif-smaller"] = gif([frame(part, 3, at=(2, 1))], 11, 7, colors)
files["gif-smaller-background"] = gif([frame(part, 3, at=(2, 1))], 11, 7, colors, background=5)
files["gif-smaller-transparent"] = gif([frame(part, 3, at=(2, 1), clear=6)], 11, 7, colors, background=5)
files["gif-smaller-interlaced"] = gif([frame(indices(3, 6, 5), 3, at=(6, 1), interlaced=True)], 11, 7, colors)
files["gif-smaller-local"] = gif([frame(part, 3, at=(2, 1), colors=table(4))], 11, 7, colors)
files["gif-smaller-animated"] = gif(
    [frame(part, 3, at=(2, 1), clear=2, dispose=2), frame(indices(3), 3), frame(part, 3, dispose=3)], 11, 7, colors)
files["gif-larger"] = gif([frame(part, 3, at=(9, 5))], 11, 7, colors)
files["gif-no-palette"] = gif([frame(indices(8), 8)], 11, 7)
files["gif-grey-palette"] = gif([frame(indices(8), 8)], 11, 7, greys)
files["gif-grey-local"] = gif([frame(indices(8), 8, colors=greys)], 11, 7, table(8))
files["gif-grey-transparent"] = gif([frame(indices(8, 3, 3), 8, at=(2, 2), clear=9)], 11, 7, greys)
files["gif-beyond"] = gif([frame(indices(4), 4)], 11, 7, table(2))
files["gif-comment"] = gif(
    [b"!\xfe\x03abc\0", b"!\xff\x0bNETSCAPE2.0\x03\1\0\0\0", b"!\x01\x02ab\0", frame(indices(4), 4)], 11, 7, table(4))
files["gif-1x1"] = gif([frame(indices(2, 1, 1), 2)], 1, 1, table(2))
files["gif-full-table"] = gif([frame(indices(8, 70, 70), 8)], 70, 70, table(8))
files["gif-full-table-kept"] = gif([frame(indices(5, 90, 80), 5, clears=False)], 80, 90, table(5))
files["gif-long"] = gif([frame(indices(1, 90, 60) * indices(1, 90, 60) * indices(1, 90, 60), 1)], 60, 90, table(1))
files["gif-steady"] = gif([frame(np.zeros((40, 50), int), 4)], 50, 40, table(4))
quiet = random.randint(0, 256, (7, 11, 3)).astype("u1")
buffer = io.BytesIO()
Image.fromarray(quiet).convert("P", palette=Image.ADAPTIVE, colors=16).save(buffer, "GIF")
files["gif-pillow"] = buffer.getvalue()

# --- BMP ---------------------------------------------------------------------------------------------------------------


def bmp(body, width, height, bits, compression=0, colors=b"", count=0, header=40, masks=(), offset=None, down=False):
    """A BMP file: a header of 12 to 124 bytes, masks, colours, then the rows."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack(
            "<IiiHHIIiiII", header, width, -height if down else height, 1, bits, compression, len(body), 0, 0, count, 0)
        info += b"".join(struct.pack("<I", mask) for mask in masks)
        info = info.ljust(header, b"\0") if len(info) < header else info
    start = 14 + len(info) + len(colors) if offset is None else offset
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info + colors + body


def rows_of(lines):
    return b"".join(line + bytes(-len(line) % 4) for line in lines)


def entries(count, size=4):
    return random.randint(0, 256, (count, size)).astype("u1").tobytes()


height, width = 7, 11
for bits in (1, 4, 8):
    part = indices(bits)
    body = rows_of([packed(row, bits) for row in part])
    files[f"bmp-{bits}"] = bmp(body, width, height, bits, colors=entries(1 << bits))
    files[f"bmp-{bits}-down"] = bmp(body, width, height, bits, colors=entries(1 << bits), down=True)
    files[f"bmp-{bits}-os2"] = bmp(body, width, height, bits, colors=entries(1 << bits, 3), header=12)
    files[f"bmp-{bits}-v4"] = bmp(body, width, height, bits, colors=entries(1 << bits), header=108)
    files[f"bmp-{bits}-v5"] = bmp(body, width, height, bits, colors=entries(1 << bits), header=124)
    files[f"bmp-{bits}-os2-second"] = bmp(body, width, height, bits, colors=entries(1 << bits), header=64)
    files[f"bmp-{bits}-no-offset"] = bmp(body, width, height, bits, colors=entries(1 << bits), offset=0)
    files[f"bmp-{bits}-wrong-offset"] = bmp(body, width, height, bits, colors=entries(1 << bits), offset=54)
    files[f"bmp-{bits}-gap"] = bmp(b"\xaa" * 20 + body, width, height, bits, colors=entries(1 << bits),
                                   offset=54 + (4 << bits) + 20)  # fmt: skip
body = rows_of([packed(row, 8) for row in indices(8)])
files["bmp-8-few"] = bmp(body, width, height, 8, colors=entries(40), count=40)
files["bmp-8-grey"] = bmp(body, width, height, 8, colors=b"".join(bytes([i, i, i, 0]) for i in range(256)))
files["bmp-8-nearly-grey"] = bmp(body, width, height, 8, colors=b"".join(bytes([i, i, i | 1, 0]) for i in range(256)))
body = rows_of([packed(row, 1) for row in indices(1)])
files["bmp-1-black-white"] = bmp(body, width, height, 1, colors=bytes([0, 0, 0, 0, 255, 255, 255, 0]))
files["bmp-1-white-black"] = bmp(body, width, height, 1, colors=bytes([255, 255, 255, 0, 0, 0, 0, 0]))
five = (0x7C00, 0x3E0, 0x1F)
six = (0xF800, 0x7E0, 0x1F)
body = rows_of([row.astype("<u2").tobytes() for row in random.randint(0, 1 << 16, (height, width))])
for down in (False, True):
    ending = "-down" if down else ""
    files["bmp-16" + ending] = bmp(body, width, height, 16, down=down)
    files["bmp-16-555" + ending] = bmp(body, width, height, 16, 3, masks=five, down=down)
    files["bmp-16-565" + ending] = bmp(body, width, height, 16, 3, masks=six, down=down)
    files["bmp-16-565-v5" + ending] = bmp(body, width, height, 16, 3, masks=six, header=124, down=down)
    true = rows_of([row.tobytes() for row in random.randint(0, 256, (height, width, 3)).astype("u1")])
    files["bmp-24" + ending] = bmp(true, width, height, 24, down=down)
    files["bmp-24-v3" + ending] = bmp(true, width, height, 24, header=56, down=down)
    files["bmp-24-v4" + ending] = bmp(true, width, height, 24, header=108, down=down)
    files["bmp-32" + ending] = bmp(random.randint(0, 256, 4 * 77).astype("u1").tobytes(), width, height, 32, down=down)
files["bmp-24-os2"] = bmp(true, width, height, 24, header=12)
files["bmp-24-fields"] = bmp(true, width, height, 24, 3, masks=(0xFF0000, 0xFF00, 0xFF))
quads = random.randint(0, 256, 4 * 77).astype("u1").tobytes()
for number, masks in enumerate([
    (0xFF0000, 0xFF00, 0xFF, 0x0), (0xFF000000, 0xFF0000, 0xFF00, 0x0), (0xFF000000, 0xFF00, 0xFF, 0x0),
    (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0),
]):  # fmt: skip
    files[f"bmp-32-fields-{number}"] = bmp(quads, width, height, 32, 3, masks=masks, header=124)
    if masks[3] == 0:
        files[f"bmp-32-fields-{number}-plain"] = bmp(quads, width, height, 32, 3, masks=masks[:3])
        files[f"bmp-32-fields-{number}-v2"] = bmp(quads, width, height, 32, 3, masks=masks[:3], header=52)


def rle8(part):
    """Runs, and rows of three and more samples as they are; in turn, so that both come."""
    out = b""
    for row in part:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and row[at + run] == row[at]:
                run += 1
            left = len(row) - at
            if run == 1 and left >= 3:
                count = min(left, 5)
                literal = row[at : at + count].astype("u1").tobytes()
                out += bytes([0, count]) + literal + bytes(count % 2)
                at += count
            else:
                out += bytes([run, row[at]])
                at += run
        out += b"\0\0"
    return out + b"\0\1"


def rle4(part):
    out = b""
    for number, row in enumerate(part):
        if number % 2:
            nibbles = [*row, 0, 0, 0]
            pairs = [nibbles[i] << 4 | nibbles[i + 1] for i in range(0, len(row), 2)]
            out += bytes([0, len(row)]) + bytes(pairs) + bytes(len(pairs) % 2)
        else:
            for at in range(0, len(row), 2):
                out += bytes([min(2, len(row) - at), row[at] << 4 | (row[at + 1] if at + 1 < len(row) else 0)])
        out += b"\0\0"
    return out + b"\0\1"


runs = np.repeat(indices(8, 9, 5), [1, 4, 1, 1, 6], axis=1)
files["bmp-rle8"] = bmp(rle8(runs), 13, 9, 8, 1, entries(256))
files["bmp-rle8-few"] = bmp(rle8(runs % 17), 13, 9, 8, 1, entries(17), 17)
files["bmp-rle8-grey"] = bmp(rle8(runs), 13, 9, 8, 1, b"".join(bytes([i, i, i, 0]) for i in range(256)))
files["bmp-rle4"] = bmp(rle4(indices(4)), 11, 7, 4, 2, entries(16))
files["bmp-rle4-wide"] = bmp(rle4(indices(4, 5, 30)), 30, 5, 4, 2, entries(16))
skips = bytes([3, 7, 0, 2, 4, 1, 2, 9, 0, 0, 5, 3, 0, 0, 0, 3, 1, 2, 3, 0, 0, 2, 2, 0, 4, 200, 0, 0])
files["bmp-rle8-skips"] = bmp(skips + bytes([13, 5, 0, 0]) * 5 + b"\0\1", 13, 9, 8, 1, entries(256))
files["bmp-rle8-short-rows"] = bmp(
    b"".join(bytes([n, 10 * n, 0, 0]) for n in range(1, 10)) + b"\0\1", 13, 9, 8, 1, entries(256))
buffer = io.BytesIO()
Image.fromarray(quiet).save(buffer, "BMP")
files["bmp-pillow"] = buffer.getvalue()

# --- WebP --------------------------------------------------------------------------------------------------------------

y, x = np.mgrid[0:23, 0:37]
smooth = np.stack([x * 7 % 256, (y * 11 + x) % 256, (x * y) % 256], -1).astype("u1")
clear = np.concatenate([smooth, (x * 13 + y * 5).astype("u1")[..., None]], -1)
clear[:5] *= np.array([1, 1, 1, 0], "u1")


def saved(image, kind, **options):
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


files["webp-lossy"] = saved(smooth, "WEBP", quality=70)
files["webp-lossy-odd"] = saved(smooth[:21, :33], "WEBP", quality=30)
files["webp-lossy-1x1"] = saved(smooth[3:4, 5:6], "WEBP")
files["webp-lossy-alpha"] = saved(clear, "WEBP", quality=60)
files["webp-lossy-alpha-exact"] = saved(clear, "WEBP", quality=60, exact=True)
files["webp-lossless"] = saved(smooth, "WEBP", lossless=True)
files["webp-lossless-alpha"] = saved(clear, "WEBP", lossless=True)
files["webp-lossless-alpha-exact"] = saved(clear, "WEBP", lossless=True, exact=True)
files["webp-lossless-colors"] = saved(clear[:, :6] // 64 * 64, "WEBP", lossless=True, exact=True)
files["webp-lossless-1x1"] = saved(clear[9:10, 5:6], "WEBP", lossless=True, exact=True)
files["webp-exif"] = saved(smooth, "WEBP", exif=Image.Exif().tobytes(), icc_profile=b"none")
turned = [Image.fromarray(np.roll(clear, 5 * i, 1)) for i in range(3)]
for lossless in (False, True):
    name = "webp-animated" + ("-lossless" if lossless else "")
    files[name] = saved(turned[0], "WEBP", save_all=True, append_images=turned[1:], lossless=lossless, exact=True)
    opaque = [image.convert("RGB") for image in turned]
    files[name + "-opaque"] = saved(opaque[0], "WEBP", save_all=True, append_images=opaque[1:], lossless=lossless)


def riff(*chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def three(number):
    return struct.pack("<I", number)[:3]


def inner(data):
    """The chunks of a still WebP that make up its image."""
    at, out = 12, b""
    while at < len(data):
        length = struct.unpack("<I", data[at + 4 : at + 8])[0]
        if data[at : at + 4] in (b"VP8 ", b"VP8L", b"ALPH"):
            out += data[at : at + 8 + length + length % 2]
        at += 8 + length + length % 2
    return out


for name, still in [
    ("lossy", saved(smooth[:9, :14], "WEBP")), ("lossless", saved(clear[:9, :14], "WEBP", lossless=True, exact=True)),
    ("lossy-alpha", saved(clear[:9, :14], "WEBP", exact=True)),
]:  # fmt: skip
    for flags in range(4):
        files[f"webp-smaller-{name}-{flags}"] = riff(
            (b"VP8X", bytes([0x12, 0, 0, 0]) + three(36) + three(22)), (b"ANIM", bytes([9, 80, 200, 255, 0, 0])),
            (b"ANMF", three(4) + three(3) + three(13) + three(8) + three(100) + bytes([flags]) + inner(still)),
            (b"ANMF", three(0) + three(0) + three(13) + three(8) + three(100) + bytes([0]) + inner(still)),
        )  # fmt: skip

# --- JPEG --------------------------------------------------------------------------------------------------------------

noisy = np.clip(smooth.astype(int) + random.randint(-30, 30, smooth.shape), 0, 255).astype("u1")
y, x = np.mgrid[0:41, 0:53]
waves = np.stack([128 + 100 * np.sin(x / (5 + 3 * c)) * np.cos(y / (4 + c)) for c in range(3)], -1)
waves = (waves + random.normal(0, 6, waves.shape)).clip(0, 255).astype("u1")
for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
    for progressive in (False, True):
        ending = "-progressive" if progressive else ""
        files[f"jpeg-{name}{ending}"] = saved(
            waves, "JPEG", quality=85, subsampling=subsampling, progressive=progressive)
    for height, width in [(1, 1), (1, 17), (17, 1), (2, 2), (3, 5), (8, 8), (9, 7), (15, 16), (16, 15), (33, 31)]:
        files[f"jpeg-{name}-{height}x{width}"] = saved(
            waves[:height, :width], "JPEG", quality=90, subsampling=subsampling)
    files[f"jpeg-{name}-restarts"] = saved(
        waves, "JPEG", quality=85, subsampling=subsampling, restart_marker_blocks=2)
    files[f"jpeg-{name}-low"] = saved(waves, "JPEG", quality=5, subsampling=subsampling)
    files[f"jpeg-{name}-high"] = saved(waves, "JPEG", quality=100, subsampling=subsampling)
files["jpeg-grey"] = saved(waves[..., 0], "JPEG")
files["jpeg-grey-progressive"] = saved(waves[..., 0], "JPEG", progressive=True)
files["jpeg-grey-odd"] = saved(waves[:11, :9, 0], "JPEG")
files["jpeg-rgb"] = saved(waves, "JPEG", keep_rgb=True)
files["jpeg-noise"] = saved(noisy, "JPEG", quality=75)
files["jpeg-optimized"] = saved(waves, "JPEG", optimize=True)
inks = Image.fromarray(np.concatenate([waves, (x * 4 + y).astype("u1")[..., None]], -1), "CMYK")
files["jpeg-cmyk"] = saved(inks, "JPEG", quality=90)
files["jpeg-cmyk-progressive"] = saved(inks, "JPEG", quality=90, progressive=True)


def without(data, marker):
    """A JPEG without the segments of a marker."""
    at, out = 2, data[:2]
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2 : at + 4])[0] + 2
        if data[at + 1] != marker:
            out += data[at : at + length]
        at += length
    return out + data[at:]


adobe = files["jpeg-cmyk"].index(b"Adobe")
files["jpeg-ycck"] = files["jpeg-cmyk"][: adobe + 11] + b"\2" + files["jpeg-cmyk"][adobe + 12 :]
files["jpeg-cmyk-unmarked"] = without(files["jpeg-cmyk"], 0xEE)
files["jpeg-no-jfif"] = without(files["jpeg-420"], 0xE0)
files["jpeg-comment"] = files["jpeg-420"][:2] + b"\xff\xfe\x00\x08first!" + files["jpeg-420"][2:]
files["jpeg-trailing"] = files["jpeg-420"] + b"and more"
files["jpeg-fill-bytes"] = files["jpeg-420"][:2] + b"\xff\xff\xff" + files["jpeg-420"][2:]
pixels = b"P6 53 41 255\n" + waves.tobytes()
for name in ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "2x4"]:
    for options in ([], ["-progressive"], ["-arithmetic"]):
        ending = "".join(options)
        files[f"jpeg-cjpeg-{name}{ending}"] = subprocess.run(
            ["cjpeg", "-quality", "85", "-sample", name, *options], input=pixels, stdout=subprocess.PIPE, check=True
        ).stdout
for name in ["2x2,1x1,1x2", "2x2,2x1,1x1", "1x1,2x2,2x2"]:
    files[f"jpeg-cjpeg-{name.replace(',', '-')}"] = subprocess.run(
        ["cjpeg", "-sample", name], input=pixels, stdout=subprocess.PIPE, check=True).stdout

# --- orientation -------------------------------------------------------------------------------------------------------


def exif(orientation, order="<", kind=3):
    """EXIF data with two entries before the orientation, in either order of bytes."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    entry = struct.pack(order + "HHI", 0x0100, 4, 1) + struct.pack(order + "I", 640)
    return (
        mark + struct.pack(order + "IH", 8, 3) + entry + struct.pack(order + "HHI", 0x0101, 4, 1)
        + struct.pack(order + "I", 480) + struct.pack(order + "HHI", 0x0112, kind, 1) + value + bytes(4)
    )  # fmt: skip


oriented = {}
for orientation in range(1, 9):
    order = "<>"[orientation % 2]
    oriented[f"oriented-jpeg-{orientation}"] = saved(
        waves[:, :37], "JPEG", quality=90, exif=b"Exif\0\0" + exif(orientation, order))
    oriented[f"oriented-webp-{orientation}"] = saved(
        smooth, "WEBP", lossless=True, exif=b"Exif\0\0" + exif(orientation, order))
    oriented[f"oriented-png-{orientation}"] = png(
        samples(2, 8), 8, 2, chunk(b"eXIf", exif(orientation, order)))
for orientation in (0, 9):
    oriented[f"oriented-jpeg-{orientation}"] = saved(waves, "JPEG", exif=b"Exif\0\0" + exif(orientation))
oriented["oriented-jpeg-long"] = saved(waves, "JPEG", exif=b"Exif\0\0" + exif(6, kind=4))
oriented["oriented-png-late"] = png(samples(2, 8), 8, 2)[:-12] + chunk(b"eXIf", exif(6)) + chunk(b"IEND", b"")
files |= oriented


def decoded(data):
    return Image.open(io.BytesIO(data))


def row(name, data, image):
    pixels = np.asarray(image.convert("RGB"))
    height, width, _ = pixels.shape
    file = base64.b64encode(data).decode()
    return {"name": name, "file": file, "height": height, "width": width, "sum": zlib.crc32(pixels.tobytes())}


rows = {
    "files": [row(name, data, decoded(data)) for name, data in sorted(files.items())],
    "oriented": [row(name, data, ImageOps.exif_transpose(decoded(data))) for name, data in sorted(oriented.items())],
}
lines = [f'"{part}": [\n' + ",\n".join(map(json.dumps, own)) + "\n]" for part, own in rows.items()]
with open("kinds.json", "w") as out:
    out.write("{\n" + ",\n".join(lines) + "\n}\n")
print(len(files), "files,", len(oriented), "with an orientation")
