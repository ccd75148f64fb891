"""Writes imagefolder.json: what torchvision's ImageFolder finds in trees of files.

    python imagefolder.py

Recorded with torchvision 0.29.2 and Python 3.11.
"""

import json
import pathlib
import tempfile

from torchvision.datasets import ImageFolder

TREES = {
    "flat": {"files": ["a/1.png", "a/0.png", "b/x.jpg"], "links": {}},
    "deep": {
        "files": ["cat/z.png", "cat/more/x.png", "cat/more/even/y.png", "cat/a.png", "dog/only/deep/1.png"],
        "links": {},
    },
    "order": {
        "files": [
            "c/b/1.png", "c/b-c/1.png", "c/b/d/1.png", "c/b.d/1.png", "c/B/1.png", "c/10.png", "c/9.png", "c/é.png",
            "c/z.png", "B/1.png", "b/1.png", "é/1.png", "10/1.png", "9/1.png",
        ],
        "links": {},
    },
    "endings": {
        "files": [
            "a/1.PNG", "a/2.JpG", "a/3.JPEG", "a/4.BMP", "a/5.WebP", "a/6.txt", "a/7.png.txt", "a/8png", "a/notes",
            "a/9.tar.png", "a/x.png/1.png", "b/1.jpeg", "list.png", "b/.png.d/none",
        ],
        "links": {},
    },
    "links": {
        "files": ["a/1.png", "store/deep/2.png", "store/3.png", "b/4.png"],
        "links": {"a/all": "../store", "b/one.png": "../store/3.png", "b/twice": "../a", "c": "a"},
    },
    "empty": {"files": ["a/1.png", "b/notes.txt", "c/d/e.txt"], "links": {}},
    "none": {"files": ["a/1.txt", "2.png"], "links": {}},
}


def answer(tree):
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place)
        for name in tree["files"]:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"")
        for name, target in tree["links"].items():
            (root / name).symlink_to(target)
        try:
            found = ImageFolder(place)
        except FileNotFoundError as error:
            text = str(error)
            lead = "Found no valid file for the classes "
            return {"empty": text.split(lead)[1].split(". ")[0].split(", ")} if lead in text else {"none": True}
        return {
            "classes": found.classes,
            "samples": [[str(pathlib.Path(path).relative_to(place)), label] for path, label in found.samples],
        }


result = [{"name": name, **tree, "found": answer(tree)} for name, tree in TREES.items()]
target = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(tree, ensure_ascii=False) for tree in result)
target.write_text(f"[\n{lines}\n]\n")
