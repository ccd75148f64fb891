#!/usr/bin/env python3
"""Checks that every grammar has the words of the language, and colours the same things alike.

    python3 -m venv V && V/bin/pip install editors/pygments babi && V/bin/python editors/check.py

babi stands for VS Code: it reads the same grammar with the same regular expressions. Vim and Emacs are run as programs; one
that is not installed is passed over with a word. Status 1 if something does not hold. Tried with Pygments 2.20, babi 1.7,
Vim 9.0 and Emacs 28.2.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import make

EDITORS = make.EDITORS
SCRIPTS = sorted([*make.ROOT.glob("examples/**/*.reprise"), *make.ROOT.glob("Recipes/**/*.reprise")])

# Scripts, each with stretches of it and what each is: {kind|text}. What is not marked is not looked at. "plain" is what has
# no colour of its own; of the four editors, Emacs colours neither numbers nor what stands inside of strings.
CASES = [
    "{report|## plain text}\n",
    "{heading|## # A title}\n",
    "{comment|# %% a cell}\nx = {number|1} {comment|# behind}\n",
    "{keyword|param} {label|epochs} = {number|20_000} {string|\"how many\"}\n",
    "{keyword|fn} {function|area}(width, {label|height}: {number|1.5e-3}) = width {keyword|with} { {label|a}: {value|none} }\n",
    "{keyword|if} {keyword|not} x {keyword|and} y { {keyword|return} {value|true} } {keyword|else} { {keyword|break} }\n",
    "{builtin|claim}({string|\"a # b\"}, {label|measured}: {number|50%})\n",
    "claim = {plain|claim} + {name|pi}\n",
    "net.{plain|none} + net.{plain|parameters}\nnet.{builtin|parameters}()\n",
    "{builtin|train}(net, {label|in}: data)\n",
    "f = {label|x} => x\n",
    "{keyword|use} {string|\"common.reprise\"}\n{plain|use} = 3\n",
    "{keyword|for} i {keyword|in} {number|0}..<{number|5} { {builtin|print}(i) }\n",
    "x = {plain|resnet50x} + {plain|forest}\n",
    "x = \"a {inside|\\(}{builtin-inside|mean}([f(1)])) {string|b}\"\n{keyword|if} x { }\n",
    "x = \"\\({builtin-inside|join}([\"a\", \"b\"], \")\")) {string|c}\"\n{keyword|if} x { }\n",
    "x = {string|\"\"\"}\n{string|  two \"quoted\" words # no comment}\n{string|  \"\"\"}\n{keyword|while} x { }\n",
    "x = {string|\"\"} + {string|\"q\\\"}{string| z\"}\n{keyword|while} x { }\n",
    "x = {string|\"open}\n{keyword|while} x { }\n",
    "größe = {number|1}\n{plain|größe}.{builtin|round}()\n",
]


def parsed(case):
    """The script of a case, and its stretches as (start, end, kind)."""
    text, stretches, index = "", [], 0
    while index < len(case):
        bar = case.find("|", index)
        kind = case[index + 1:bar] if case[index] == "{" else ""
        if bar < 0 or not kind.replace("-", "").isalpha():
            text += case[index]
            index += 1
            continue
        end = case.index("}", bar)
        stretches.append((len(text), len(text) + end - bar - 1, kind))
        text += case[bar + 1:end]
        index = end + 1
    return text, stretches


# Each editor gives the kind of every character of a script.

def by_pygments(text):
    from pygments import token
    from reprise_lexer import RepriseLexer

    kinds = [
        (token.Generic.Heading, "heading"), (token.String.Doc, "report"), (token.Comment, "comment"), (token.Keyword.Constant, "value"),
        (token.Keyword, "keyword"), (token.Operator.Word, "keyword"), (token.Name.Builtin, "builtin"), (token.Name.Function, "function"),
        (token.Name.Variable, "label"), (token.Name.Constant, "name"), (token.Number, "number"), (token.String.Interpol, "inside"),
        (token.String, "string"), (token.Error, "error"),
    ]
    result = []
    for kind, piece in RepriseLexer(stripnl=False, ensurenl=False).get_tokens(text):
        result += [next((name for group, name in kinds if kind in group), "plain")] * len(piece)
    return result


def by_textmate(text):
    from babi.highlight import Grammars, highlight_line
    from babi.highlight import State

    kinds = [
        ("markup.heading", "heading"), ("markup.other", "report"), ("punctuation.definition.comment", "report"), ("comment", "comment"),
        ("constant.character.escape", "inside"), ("punctuation.section.embedded", "inside"), ("constant.numeric", "number"),
        ("constant.language", "value"), ("support.constant", "name"), ("support.function", "builtin"), ("entity.name.function", "function"),
        ("variable.parameter", "label"), ("variable.other", "plain"), ("keyword.operator.word", "keyword"), ("keyword.operator", "plain"),
        ("keyword", "keyword"), ("meta.embedded", "plain"), ("string", "string"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        # The grammar includes Markdown's, which VS Code brings along.
        shutil.copy(EDITORS / "vscode/syntaxes/reprise.tmLanguage.json", f"{folder}/source.reprise.json")
        pathlib.Path(f"{folder}/text.html.markdown.json").write_text(
            json.dumps({"scopeName": "text.html.markdown", "patterns": [], "repository": {"inline": {"match": "`[^`]*`", "name": "markup.raw"}}}))
        compiler = Grammars(folder).compiler_for_scope("source.reprise")
        state, result = compiler.root_state, []
        for number, line in enumerate(text.splitlines(keepends=True)):
            state, regions = highlight_line(compiler, state, line, number == 0)
            of_line = ["plain"] * len(line)
            for region in regions:
                kind = next((kind for scope in reversed(region.scope) for start, kind in kinds if scope.startswith(start)), "plain")
                of_line[region.start:region.end] = [kind] * (region.end - region.start)
            result += of_line
    return result


def by_vim(text):
    kinds = {
        "Heading": "heading", "Report": "report", "Comment": "comment", "Keyword": "keyword", "Value": "value", "Builtin": "builtin",
        "Function": "function", "Label": "label", "Name": "name", "Number": "number", "Escape": "inside", "String": "string",
    }
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(f"{folder}/a.reprise").write_text(text)
        pathlib.Path(f"{folder}/run.vim").write_text(rf"""
            set nocompatible encoding=utf-8 enc=utf-8
            set runtimepath^={EDITORS}/vim
            filetype plugin on
            syntax on
            edit {folder}/a.reprise
            let found = []
            for line in range(1, line('$'))
              let names = []
              for column in range(1, strchars(getline(line)))
                call add(names, synIDattr(synID(line, byteidx(getline(line), column - 1) + 1, 1), 'name'))
              endfor
              call add(found, join(names, ','))
            endfor
            call writefile([&filetype, &makeprg] + found, '{folder}/found')
            quitall!
            """)
        subprocess.run(["vim", "-e", "-s", "-n", "-u", "NONE", "-i", "NONE", "-S", f"{folder}/run.vim"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        filetype, program, *lines = pathlib.Path(f"{folder}/found").read_text().split("\n")
    assert filetype == "reprise" and program.startswith("reprise check"), (filetype, program)
    result = []
    for names, line in zip(lines, text.splitlines()):
        groups = names.split(",") if line else []
        assert len(groups) == len(line), (line, names)
        result += [kinds.get(group.removeprefix("reprise"), "plain") for group in groups] + ["plain"]
    return result


def by_emacs(text):
    kinds = {
        "reprise-heading": "heading", "reprise-report": "report", "font-lock-comment-face": "comment", "font-lock-comment-delimiter-face": "comment",
        "font-lock-keyword-face": "keyword", "font-lock-constant-face": "value", "font-lock-builtin-face": "builtin",
        "font-lock-function-name-face": "function", "font-lock-variable-name-face": "label", "font-lock-string-face": "string",
    }
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(f"{folder}/a.reprise").write_text(text)
        pathlib.Path(f"{folder}/run.el").write_text(f"""
            (set-language-environment "UTF-8")
            (add-to-list 'load-path "{EDITORS}/emacs")
            (require 'reprise-mode)
            (find-file "{folder}/a.reprise")
            (font-lock-ensure)
            (let ((position (point-min)) (mode major-mode) faces)
              (while (< position (point-max))
                (let ((face (get-text-property position 'face)))
                  (push (format "%s" (if (consp face) (car face) face)) faces))
                (setq position (1+ position)))
              (with-temp-file "{folder}/found" (insert (format "%s\\n%s" mode (mapconcat #'identity (nreverse faces) ",")))))
            """)
        ran = subprocess.run(["emacs", "-Q", "--batch", "-l", f"{folder}/run.el"], capture_output=True, timeout=60, text=True)
        assert ran.returncode == 0, ran.stderr
        mode, faces = pathlib.Path(f"{folder}/found").read_text().split("\n")
    assert mode == "reprise-mode", mode
    return [kinds.get(face, "plain") for face in faces.split(",")]


def alike(kind, found, editor):
    if editor == "Emacs":
        # A constant is a value; a number has no colour; in strings there are none but that of the string.
        kind = {"name": "value", "number": "plain", "inside": "string", "builtin-inside": "string"}.get(kind, kind)
        return kind == found or (kind == "heading" and found == "report")
    if kind == "heading" and editor != "Pygments":
        return found in ("heading", "report")
    if kind == "string":
        return found in ("string", "inside")
    if kind == "plain":
        return found in ("plain", "function")
    return found == kind.removesuffix("-inside")


def main():
    failures = [f"editors/{path} has other words than the language: run editors/make.py" for path in make.outdated()]
    count = 0
    editors = {"Pygments": (by_pygments, None), "TextMate": (by_textmate, None), "Vim": (by_vim, "vim"), "Emacs": (by_emacs, "emacs")}
    for editor, (kinds_of, program) in editors.items():
        if program and not shutil.which(program):
            print(f"{editor} is not installed: passed over")
            continue
        texts = [parsed(case) for case in CASES]
        for text, stretches in texts:
            kinds = kinds_of(text)
            for start, end, kind in stretches:
                count += 1
                wrong = {found for found in kinds[start:end] if not alike(kind, found, editor)}
                if wrong:
                    failures.append(f"{editor}: {text[start:end]!r} is {'/'.join(sorted(wrong))}, not {kind}, in {text!r}")
        print(f"{editor}: {len(texts)} cases")
    for path in SCRIPTS:
        text = path.read_text()
        if path.parent.name != "errors" and "error" in by_pygments(text):
            failures.append(f"Pygments: what is an error in {path}?")
    if shutil.which("emacs"):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(EDITORS / "emacs/reprise-mode.el", folder)
            ran = subprocess.run(["emacs", "-Q", "--batch", "--eval", "(setq byte-compile-error-on-warn t)", "-f",
                                  "batch-byte-compile", f"{folder}/reprise-mode.el"], capture_output=True, text=True)
            if ran.returncode:
                failures.append(f"Emacs: {ran.stderr}")
    print("\n".join(failures) or f"{count} stretches and {len(SCRIPTS)} scripts hold")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
