#!/usr/bin/env python3
"""Writes the words of the language into the grammars of the editors.

    editors/make.py            # writes them
    editors/make.py --check    # writes nothing; status 1 where a grammar has other words

The keywords come from the lexer, Sources/Script/Token.swift; functions and names come from docs/reference.md, which is
generated from their declarations. Needs nothing but Python.
"""
import json
import pathlib
import re
import sys

EDITORS = pathlib.Path(__file__).resolve().parent
ROOT = EDITORS.parent
# Of the lexer's keywords, those that are values and those that are operators. Any other is a keyword like 'if'.
VALUES = {"true", "false", "none"}
OPERATORS = {"and", "or", "not"}
# 'use' is a keyword only before a string; the grammars say so by a rule of their own.
BEFORE_NAMES = {"fn", "param"}


def words():
    """Each list of words under its name, sorted."""
    tokens = (ROOT / "Sources/Script/Token.swift").read_text()
    body = re.search(r"enum Keyword\b[^{]*\{(.*?)\n\}", tokens, re.S).group(1)
    keywords = set(re.findall(r"\w+", " ".join(re.findall(r"^\s*case (.*)$", body, re.M))))
    reference = (ROOT / "docs/reference.md").read_text()
    chapters = re.split(r"^## ", reference, flags=re.M)[1:]
    of = {chapter.split("\n", 1)[0]: chapter for chapter in chapters}
    functions = set()
    for title, text in of.items():
        if title != "Kinds of values":
            functions |= set(re.findall(r"^### (\w+)$", text, re.M))
    names = set(re.findall(r"^\| `(\w+)` \|", of["Names"], re.M))
    assert {"if", "with"} <= keywords and {"train", "claim"} <= functions and "pi" in names
    assert VALUES | OPERATORS | BEFORE_NAMES <= keywords
    return {
        "keywords": sorted(keywords - VALUES - OPERATORS),
        "values": sorted(VALUES),
        "operators": sorted(OPERATORS),
        "functions": sorted(functions),
        "names": sorted(names),
    }


def filled(words, width, line):
    """Words in lines of at most some columns, each line made by a function of its words."""
    lines, current = [], []
    for word in words:
        if current and len(line(current + [word])) > width:
            lines.append(line(current))
            current = []
        current.append(word)
    return "\n".join(lines + [line(current)]) + "\n"


def between(text, comment, made):
    """The text with other lines between the marks."""
    first, last = f"{comment} Words, by editors/make.py\n", f"{comment} End of the words\n"
    start, end = text.index(first) + len(first), text.index(last)
    return text[:start] + made + text[end:]


def vim(text, lists):
    # Matches rather than keywords, which would win over fields and labels that are called like one. A function only where
    # it is called: elsewhere a script may use its name.
    groups = [("names", "Name", ""), ("functions", "Builtin", r"\ze\s*("), ("keywords", "Keyword", ""),
              ("operators", "Keyword", ""), ("values", "Value", "")]
    made = "".join(
        filled(lists[name], 110, lambda words: rf"syn match reprise{group} /\<\%(" + r"\|".join(words) + rf"\)\>{behind}/")
        for name, group, behind in groups)
    return between(text, '"', made)


def emacs(text, lists):
    made = "".join(
        f"(defconst reprise--{name}\n  '(" + filled(lists[name], 110, lambda words: "    " + " ".join(f'"{word}"' for word in words)).strip() + "))\n"
        for name in lists)
    return between(text, ";;", made)


def pygments(text, lists):
    made = "".join(
        f"{name.upper()} = (\n" + filled(lists[name], 110, lambda words: "    " + " ".join(f'"{word}",' for word in words)) + ")\n"
        for name in lists)
    return between(text, "#", made)


def textmate(text, lists):
    grammar = json.loads(text)
    one = {name: "|".join(words) for name, words in lists.items()}
    matches = {
        "keywords": rf"\b(?:{one['keywords']})\b",
        "values": rf"\b(?:{one['values']})\b",
        "operators": rf"\b(?:{one['operators']})\b",
        "functions": rf"\b(?:{one['functions']})\b(?=\s*\()",
        "names": rf"\b(?:{one['names']})\b",
    }
    for name, match in matches.items():
        grammar["repository"][name]["match"] = match
    return json.dumps(grammar, indent=2, ensure_ascii=False) + "\n"


GRAMMARS = {
    "vim/syntax/reprise.vim": vim,
    "emacs/reprise-mode.el": emacs,
    "pygments/reprise_lexer.py": pygments,
    "vscode/syntaxes/reprise.tmLanguage.json": textmate,
}


def outdated(writes=False):
    """The grammars that have other words than the language."""
    lists, found = words(), []
    for path, made in GRAMMARS.items():
        file = EDITORS / path
        old = file.read_text()
        new = made(old, lists)
        if new != old:
            found.append(path)
            if writes:
                file.write_text(new)
    return found


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    checks = sys.argv[1:] == ["--check"]
    found = outdated(writes=not checks)
    for path in found:
        print(f"editors/{path}: {'has other words than the language: run editors/make.py' if checks else 'written'}")
    sys.exit(1 if checks and found else 0)
