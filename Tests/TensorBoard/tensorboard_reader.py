#!/usr/bin/env python3
"""Reads what `reprise run --tensorboard` writes by TensorBoard's own readers: its records, its EventAccumulator, and its
server, which is asked for the runs while a training run still goes on.

    python3 -m venv V && V/bin/pip install tensorboard
    V/bin/python Tests/TensorBoard/tensorboard_reader.py .build/release/reprise

Prints a line for each thing that holds, and ends with status 1 at the first that does not. Tried with tensorboard 2.21.
"""
import io
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.hparams import metadata

SCRIPT = """data = synthetic(4, shape: [1, 16, 16], train: 2000, validation: 400)
run = train(resnet8(data), data, epochs: 12, batch: 20, lr: 0.02)
plot(run, to: "plots/run.png")
claim("at least 30 % top-1", measured: run, atLeast: 30)
"""


def holds(what, condition, detail=""):
    if not condition:
        sys.exit(f"does not hold: {what} {detail}")
    print("ok:", what, flush=True)


def eventually(ask, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            answer = ask()
            if answer:
                return answer
        except OSError:
            pass
        time.sleep(0.2)
    return None


def accumulated(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


reprise = str(pathlib.Path(sys.argv[1]).resolve())
work = pathlib.Path(tempfile.mkdtemp())
logs = work / "logs"
logs.mkdir()
(work / "study.reprise").write_text(SCRIPT)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(
    [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", str(port), "--reload_interval", "1"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def asked(path, body=None, **query):
    address = f"http://127.0.0.1:{port}/data/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(address, data=data) as answer:
        return json.load(answer)


try:
    holds("TensorBoard's server starts", eventually(lambda: asked("environment")))
    running = subprocess.Popen(
        [reprise, "run", "study.reprise", "--tensorboard", "logs"], cwd=work, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)

    def growing():
        for run in asked("runs"):
            if run.startswith("training-") and "loss/step" in asked("plugin/scalars/tags").get(run, {}):
                return len(asked("plugin/scalars/scalars", run=run, tag="loss/step"))

    seen = eventually(growing)
    was_running = running.poll() is None
    holds("the server shows steps of a run that goes on", seen and was_running, f"{seen} steps, running: {was_running}")
    holds("the script runs to its end", running.wait() == 0)

    [folder] = logs.glob("training-*")
    [file] = folder.iterdir()
    events = [event_pb2.Event.FromString(record) for record in RawEventFileLoader(str(file)).Load()]
    holds("every record has its checksums", len(events) > 1000, f"{len(events)} records")

    training = accumulated(folder)
    tags = set(training.Tags()["scalars"])
    wanted = {f"{what}/{part}" for what in ("loss", "top1") for part in ("train", "validation")}
    holds("scalars", wanted | {"loss/step", "lr/step", "lr/epoch", "final/top1"} <= tags, tags)
    rates = [(event.step, event.value) for event in training.Scalars("lr/step")]
    holds("every step's learning rate", [step for step, _ in rates] == list(range(1, 1201)) and abs(rates[0][1] - 0.02) < 1e-6)
    epochs = training.Scalars("top1/validation")
    holds("a point for each epoch", [event.step for event in epochs] == list(range(1, 13)))
    stored = json.loads(subprocess.run([reprise, "runs", "--json"], cwd=work, capture_output=True, check=True).stdout)
    holds("the accuracy of the run store", abs(training.Scalars("final/top1")[0].value - stored[0]["top1"]) < 1e-4)
    start = metadata.parse_session_start_info_plugin_data(training.PluginTagToContent("hparams")[metadata.SESSION_START_INFO_TAG])
    holds(
        "settings", start.hparams["learningRate"].number_value == 0.02 and start.hparams["batchSize"].number_value == 20
        and start.hparams["loss"].string_value == "crossEntropy")

    script = accumulated(logs / "study")
    [figure] = script.Images("plots/run.png")
    image = Image.open(io.BytesIO(figure.encoded_image_string))
    same = figure.encoded_image_string == (work / "plots/run.png").read_bytes()
    holds("the figure, byte for byte", same and image.size == (figure.width, figure.height))
    text = {tag: script.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in script.PluginTagToContent("text")}
    holds("the script and its verdict", "epochs: 12" in text["script"] and "reproduced" in text["claims"])

    holds("the server shows the run's end", eventually(
        lambda: "final/top1" in asked("plugin/scalars/tags").get(folder.name, {})
        and "claims" in asked("plugin/text/tags").get("study", [])))
    rows = asked("plugin/text/text", run="study", tag="claims")
    holds("the verdicts are a table", "<table>" in rows[0]["text"], rows)
    holds("figures", asked("plugin/images/tags")["study"].keys() == {"plots/run.png"})
    experiment = eventually(lambda: asked("plugin/hparams/experiment", body={}))
    names = {info["name"] for info in experiment["hparamInfos"]}
    holds("hyperparameters", {"learningRate", "batchSize", "of"} <= names, names)
    groups = asked("plugin/hparams/session_groups", body={
        "startIndex": 0, "sliceSize": 10, "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"group": "", "tag": "final/top1"}}]})
    [group] = groups["sessionGroups"]
    metric = [value for value in group["metricValues"] if value["name"]["tag"] == "final/top1"]
    holds("a row of hyperparameters with its final accuracy", metric and abs(metric[0]["value"] - stored[0]["top1"]) < 1e-4)

    def curves():
        accumulator = accumulated(folder)
        return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}

    live = curves()
    subprocess.run([reprise, "tensorboard", "logs"], cwd=work, check=True, capture_output=True)
    holds("runs written from the store have the same curves", curves() == live)
    count = len(live["loss/step"])
    for _ in range(3):
        time.sleep(1.5)
        holds("the server shows each step once", len(asked("plugin/scalars/scalars", run=folder.name, tag="loss/step")) <= count)
finally:
    server.terminate()
