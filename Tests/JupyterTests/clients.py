#!/usr/bin/env python3
"""Drives the kernel by the programs that people use it through: jupyter_client, nbclient, nbconvert and papermill.

    python3 -m venv V && V/bin/pip install jupyter_client nbclient nbconvert papermill integrations/papermill
    .build/release/reprise jupyter install --prefix V && V/bin/python Tests/JupyterTests/clients.py

Prints a line for each thing that holds, and ends with status 1 at the first that does not. Tried with jupyter_client
8.9, nbclient 0.11, nbconvert 7.17 and papermill 2.7.
"""
import base64
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import nbformat
import papermill
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

TRAINING = (
    "data = synthetic(4, shape: [1, 8, 8], train: 64, validation: 32)\n"
    "run = train(resnet8(data), data, epochs: {epochs}, batch: 8)\n"
)


def holds(what, condition, detail=""):
    if not condition:
        sys.exit(f"does not hold: {what} {detail}")
    print("ok:", what, flush=True)


def messages(client, code, **options):
    """What is published while a cell runs, and the reply."""
    ident = client.execute(code, **options)
    published = []
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != ident:
            continue
        published.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == ident:
            return published, reply["content"]


def of(published, kind):
    return [m["content"] for m in published if m["msg_type"] == kind]


def by_client():
    manager = KernelManager(kernel_name="reprise")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    info = client.kernel_info(reply=True, timeout=10)["content"]
    holds("kernel_info names the language", info["language_info"]["name"] == "reprise")
    published, reply = messages(client, "x = 20\nx + 1")
    holds("a value is the result", of(published, "execute_result")[0]["data"]["text/plain"] == "21")
    holds("cells are counted", reply["execution_count"] == 1)
    published, _ = messages(client, 'print("x is \\(x)")')
    holds("cells share a session, and prints are streams", of(published, "stream")[0]["text"] == "x is 20\n")
    published, reply = messages(client, "y = 1\ny.q")
    error = of(published, "error")[0]
    holds("an error has its place marked", "^" in "\n".join(error["traceback"]) and reply["status"] == "error", error)
    published, _ = messages(client, "table([{ a: 1, b: 2 }])")
    holds("a table is HTML", "<table>" in of(published, "display_data")[0]["data"]["text/html"])
    published, _ = messages(client, 'plot([1, 2, 3], to: "a.png")')
    image = base64.b64decode(of(published, "display_data")[0]["data"]["image/png"])
    holds("a figure is a PNG", image.startswith(b"\x89PNG"))
    found = client.complete("tra", 3, reply=True, timeout=10)["content"]
    holds("names are completed", "train(" in found["matches"] or "train" in found["matches"], found["matches"][:5])
    found = client.complete("äö = 1; tra", 11, reply=True, timeout=10)["content"]
    holds("places are counted in characters", found["cursor_start"] == 8, found["cursor_start"])
    found = client.inspect("train(", 3, reply=True, timeout=10)["content"]
    holds("names are explained", found["found"] and "epochs" in found["data"]["text/plain"])
    for code, status in (("f(", "incomplete"), ("1", "complete")):
        ident = client.is_complete(code)
        holds(f"{code!r} is {status}", client.get_shell_msg(timeout=10)["content"]["status"] == status)
    past = client.history(hist_access_type="tail", n=2, reply=True, timeout=10)["content"]["history"]
    holds("the history has the last cells", past[-1][2].startswith("plot("), past)
    ident = client.execute(TRAINING.format(epochs=1000))
    while client.get_iopub_msg(timeout=60)["msg_type"] != "update_display_data":
        pass
    holds("progress is updated in place", True)
    manager.interrupt_kernel()
    begun = time.monotonic()
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == ident:
            break
    holds(f"an interruption ends a training run ({time.monotonic() - begun:.2f} s)", reply["content"]["status"] in ("ok", "error"))
    published, _ = messages(client, "run.top1")
    holds("and keeps what was trained", of(published, "execute_result"), published)
    other = manager.client()
    other.start_channels()
    other.wait_for_ready(timeout=60)
    published, _ = messages(other, "x")
    holds("a second client shares the session", of(published, "execute_result")[0]["data"]["text/plain"] == "20")
    other.stop_channels()
    client.stop_channels()
    process = manager.provisioner.process if hasattr(manager.provisioner, "process") else None
    manager.shutdown_kernel()
    holds("the kernel ends when it is told to", process is None or process.poll() is not None)


def orphan():
    """A client that is killed leaves no kernel behind."""
    code = (
        "import time\nfrom jupyter_client import KernelManager\nm = KernelManager(kernel_name='reprise')\nm.start_kernel()\n"
        "c = m.client(); c.start_channels(); c.wait_for_ready(timeout=60)\n"
        "print(m.provisioner.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    kernel = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{kernel}") and time.monotonic() < end:
        time.sleep(0.1)
    holds("a kernel ends with the program that started it", not os.path.exists(f"/proc/{kernel}"))


def notebook(*cells):
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "reprise", "display_name": "Reprise", "language": "reprise"}})
    for kind, text, tags in cells:
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        book.cells.append(make(text, metadata={"tags": tags} if tags else {}))
    return book


def by_notebooks():
    book = notebook(("markdown", "# A run", []), ("code", TRAINING.format(epochs=2) + "run", []), ("code", "run.top1", []))
    NotebookClient(book, kernel_name="reprise", timeout=120).execute()
    holds("nbclient runs a notebook", float(book.cells[2].outputs[0]["data"]["text/plain"].split()[0]) >= 0)
    nbformat.write(book, "run.ipynb")
    try:
        NotebookClient(notebook(("code", "1 / none", [])), kernel_name="reprise", timeout=60).execute()
        holds("nbclient tells of an error", False)
    except CellExecutionError as error:
        holds("nbclient tells of an error", "none" in str(error))
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", "run.ipynb"], check=True, capture_output=True)
    holds("nbconvert makes a page", "resnet8" in pathlib.Path("run.html").read_text())
    nbformat.write(notebook(("code", 'param epochs = 1 "epochs"\nparam name = "a"', ["parameters"]), ("code", 'print(epochs, name)', [])), "in.ipynb")
    papermill.execute_notebook("in.ipynb", "out.ipynb", parameters={"epochs": 3, "name": 'b "c"'}, progress_bar=False)
    out = nbformat.read("out.ipynb", 4)
    holds("papermill sets parameters", out.cells[-1].outputs[0]["text"] == '3 b "c"\n', out.cells[-1].outputs)
    big = notebook(("markdown", "x" * 10_000_000, []), ("code", "1", []))
    NotebookClient(big, kernel_name="reprise", timeout=60).execute()
    holds("a notebook of 10 MB runs", big.cells[1].outputs[0]["data"]["text/plain"] == "1")


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    by_client()
    orphan()
    by_notebooks()
print("all holds")
