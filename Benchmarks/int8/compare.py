"""Times networks in 8 bits: Reprise's integer kernels against its own 32 bits, and other programs on the files it exports.

    swift build -c release --product reprise
    pip install -r Benchmarks/interchange/requirements.txt
    python Benchmarks/int8/compare.py [--rounds 3] [--batches 1,16] [--threads 2] [--models NAMES]
        [--per-tensor] [--json FILE]

Every round runs each program once, in a process of its own; a program's time is its fastest pass over all rounds, and
ratios are of those. ONNX Runtime runs as it does unless asked, and told to be exact (`session.x64quantprecision`): on x86
processors without VNNI its 8-bit products, as OpenVINO's, are else added in 16 bits, which can be too few, while Reprise's
and LiteRT's are exact. Weights are random, drawn as for a training's start.

What Reprise's layers ran on is printed too: the processor, and each kernel with how many layers it ran. The kernels name
their instruction set; ONEDNN_MAX_CPU_ISA=AVX2 shows those of lesser processors.

Without VNNI, Reprise adds products in 16 bits as far as weights let it (docs/inside/int8.md). Normally distributed weights with
a scale for each channel are its worst case, since the largest of few is only about three deviations. With --per-tensor the
largest is about five, as in many a trained channel.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time

REPRISE = pathlib.Path(".build/release/reprise").resolve()
HERE = pathlib.Path(__file__).resolve().parent
MODELS = ["resnet50", "mobilenetV1"]
PEERS = ["openvino", "onnxruntime", "onnxruntime-exact", "litert"]


def passes(run, seconds):
    """Durations of passes, after three that are not counted."""
    for _ in range(3):
        run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return times


def time_peer(peer, folder, model, batch, side, threads, seconds):
    import numpy

    x = numpy.random.default_rng(1).standard_normal((batch, 3, side, side)).astype("float32")
    if peer == "openvino":
        import openvino

        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        network = openvino.Core().read_model(f"{folder}/{model}-int8.onnx")
        network.reshape([batch, 3, side, side])
        request = openvino.Core().compile_model(network, "CPU", settings).create_infer_request()
        return passes(lambda: request.infer([x]), seconds)
    if peer.startswith("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        if peer.endswith("exact"):
            options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(f"{folder}/{model}-int8.onnx", options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return passes(lambda: session.run(None, {name: x}), seconds)
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=f"{folder}/{model}-int8.tflite", num_threads=threads)
    entry = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(entry["index"], (batch, side, side, 3))
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], numpy.zeros((batch, side, side, 3), entry["dtype"]))
    return passes(interpreter.invoke, seconds)


def processor():
    """The processor's name, and which instructions for 8 bits it has."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = facts.get("flags", "").split()
    return f"{facts.get('model name', 'unknown processor')}, family {facts.get('cpu family')} model {facts.get('model')}: " + (
        ", ".join(flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if flag in flags) or "no vectors")


def output(command, **settings):
    finished = subprocess.run(list(map(str, command)), capture_output=True, text=True, **settings)
    if finished.returncode != 0:
        sys.exit(f"int8: {' '.join(map(str, command))}: {finished.stderr.strip() or finished.stdout.strip()}")
    return json.loads(finished.stdout[finished.stdout.index("{"):]) if "{" in finished.stdout else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--batches", default="1,16")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2, help="of each program in each round")
    parser.add_argument("--steps", type=int, default=10, help="passes of Reprise in each round, of 8 and of 32 bits")
    parser.add_argument("--per-tensor", action="store_true", help="one scale for all weights of a layer")
    parser.add_argument("--json", help="a file for all figures")
    parser.add_argument("--peer", nargs=4, metavar=("PEER", "FOLDER", "MODEL", "BATCH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        peer, folder, model, batch = given.peer
        times = time_peer(peer, folder, model, int(batch), given.side, given.threads, given.seconds)
        return print(json.dumps({"seconds": times}))

    results = []
    with tempfile.TemporaryDirectory() as folder:
        kind = "perTensor" if given.per_tensor else "perChannel"
        output(
            [REPRISE, "run", HERE / "export.reprise", "--set", f"side={given.side}", "--set", f"weights={kind}",
             "--threads", given.threads], cwd=folder)
        print(processor())
        print(f"{'network':12} {'batch':>5}  {'program':18} {'ms':>9} {'images/s':>9}  against int8 of Reprise")
        for model in given.models.split(","):
            for batch in map(int, given.batches.split(",")):
                fastest, kernels = {}, {}
                for _ in range(given.rounds):
                    facts = output(
                        [REPRISE, "bench", "int8", model, "--batch", batch, "--size", given.side, "--threads", given.threads,
                         "--steps", given.steps, "--profile", "--json", *(["--per-tensor"] if given.per_tensor else [])])
                    products = [step["kernel"] for step in facts["steps"] if step["kind"].startswith(("convolution", "dense"))]
                    kernels = dict(collections.Counter(products).most_common())
                    times = {"reprise int8": facts["int8Seconds"], "reprise 32 bits": facts["floatSeconds"]}
                    for peer in PEERS:
                        shared = ["--side", given.side, "--threads", given.threads, "--seconds", given.seconds]
                        command = [sys.executable, __file__, "--peer", peer, folder, model, batch]
                        times[peer] = output(command + shared)["seconds"]
                    for program, seconds in times.items():
                        fastest[program] = min(seconds + [fastest.get(program, 1e9)])
                print(f"{model:12} {batch:5}  " + ", ".join(f"{count} by '{kernel}'" for kernel, count in kernels.items()), flush=True)
                for program, seconds in fastest.items():
                    ratio = seconds / fastest["reprise int8"]
                    print(f"{model:12} {batch:5}  {program:18} {seconds * 1000:9.2f} {batch / seconds:9.1f}  {ratio:.2f} times as long", flush=True)
                    results.append({"model": model, "batch": batch, "program": program, "seconds": seconds, "ratio": ratio, "kernels": kernels})
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(results, indent=1) + "\n")


main()
