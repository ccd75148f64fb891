"""Makes `meta.mat` and `meta-plain.mat`: the development kit's table of classes for the four of `imagenet.py`, and two more.

    python3 meta.py

As the real one, records of numbers, texts and lists; the first file compressed. Made with SciPy 1.17.1.
"""

import pathlib

import numpy as np
from scipy.io import savemat

HERE = pathlib.Path(__file__).parent
ROWS = [
    (2, "n02119789", "kit fox, Vulpes macrotis", []), (4, "n01440764", "tench, Tinca tinca", []),
    (1, "n02123045", "tabby, tabby cat", []), (3, "n07831146", "carbonara", []),
    (5, "n00001740", "entity", [300, 1, 2]), (300, "n02120997", "feline, felid", [1]),
]
fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
synsets = np.zeros((len(ROWS), 1), dtype=[(name, "O") for name in fields])
for row, (number, wnid, words, children) in zip(synsets[:, 0], ROWS):
    # MATLAB's numbers are doubles; it stores those that fit in fewer bytes.
    small = np.uint16 if number > 255 else np.uint8
    row["ILSVRC2012_ID"], row["WNID"], row["words"], row["gloss"] = np.array([[number]], small), wnid, words, "é: " + words
    row["num_children"], row["children"] = np.double(len(children)), np.array([children], "f8")
    row["wordnet_height"], row["num_train_images"] = np.double(0), np.double(1300)
for name, compressed in [("meta", True), ("meta-plain", False)]:
    savemat(HERE / f"{name}.mat", {"other": np.arange(3.0), "synsets": synsets}, do_compression=compressed)
