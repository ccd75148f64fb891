"""Times Reprise and its peers on the same work, alternately, each in a process of its own.

Every round runs each program once; a program's time is its fastest step over all rounds, its memory the largest peak
resident size. Each program is named with the precision that it computed in; what computes in bf16 is left out where the
processor has none. Ratios are those of Reprise to the peer, in float32 and in bf16: above 1 Reprise is faster, and below
1 it takes less memory.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
REPRISE = ".build/release/reprise"
# (program, precision); OpenVINO's default is bf16 where the processor has it.
TRAINING = [
    ("eager", "float32"), ("eager-channels-last", "float32"), ("compile", "float32"), ("eager-channels-last", "bf16"),
    ("compile", "bf16"),
]  # fmt: skip
INFERENCE = [("onnxruntime", "float32"), ("openvino", "float32"), ("openvino", "default")]
# (work, model, batch, size)
STANDARD = [
    ("train", "resnet50", 16, 224), ("train", "mobilenetV1", 16, 224), ("train", "vgg16", 8, 224),
    ("train", "resnet20", 128, 32),
    ("infer", "resnet50", 1, 224), ("infer", "resnet50", 16, 224), ("infer", "mobilenetV1", 1, 224),
    ("infer", "mobilenetV1", 16, 224), ("infer", "vgg16", 1, 224), ("infer", "vgg16", 16, 224),
]  # fmt: skip


def precisions():
    """What the processor computes in, by its own flags."""
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    return ["float32", "bf16"] if "avx512_bf16" in flags else ["float32"]


PRECISIONS = precisions()


def run(command):
    """The last line of a program's output, as JSON; None and a message where it failed."""
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        reason = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"peers: {' '.join(map(str, command))}: {reason}", file=sys.stderr)
        return None
    text = finished.stdout
    return json.loads(text[text.index("{"):])


def measure(work, model, batch, size, steps, threads):
    shared = ["--batch", str(batch), "--size", str(size), "--steps", str(steps), "--threads", str(threads)]
    for precision in PRECISIONS:
        yield run([REPRISE, "bench", work, model, *shared, "--precision", precision, "--json"]), "reprise"
    for peer, precision in TRAINING if work == "train" else INFERENCE:
        if precision in [*PRECISIONS, "default"]:
            command = [sys.executable, HERE / "peer.py", peer, work, model, *shared, "--precision", precision]
            yield run(command), peer + (" as it comes" if precision == "default" else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="timed steps of each program in each round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="WORK:MODEL:BATCH:SIZE, several joined by commas")
    parser.add_argument("--json", help="a file for all figures")
    arguments = parser.parse_args()
    works = STANDARD
    if arguments.only:
        parts = [item.split(":") for item in arguments.only.split(",")]
        works = [(work, model, int(batch), int(size)) for work, model, batch, size in parts]

    results = []
    processor = next(line for line in open("/proc/cpuinfo") if line.startswith("model name")).split(":")[1].strip()
    print(f"{processor}, {arguments.threads} threads, computes in {' and '.join(PRECISIONS)}")
    heads = "".join(f"   {precision}: faster  memory" for precision in PRECISIONS)
    print(f"{'work':32} {'program':36} {'ms':>9} {'images/s':>9} {'MiB':>7}{heads}")
    for work in works:
        seconds, memory, peak = {}, {}, 0
        for _ in range(arguments.rounds):
            for found, program in measure(*work, arguments.steps, arguments.threads):
                if found is None:
                    continue
                program = f"{program}, {found['precision']}"
                seconds[program] = min(seconds.get(program, float("inf")), found["minimumSeconds"])
                memory[program] = max(memory.get(program, 0), found["peakMemoryBytes"])
                peak = max(peak, found.get("peakFlopPerSecond", 0))
        name = "{} {}, batch {}, {}".format(*work)
        for program in seconds:
            ratios = ""
            for own in (f"reprise, {precision}" for precision in PRECISIONS):
                if not program.startswith("reprise") and own in seconds:
                    ratios += f"{seconds[program] / seconds[own]:17.2f} {memory[own] / memory[program]:7.2f}"
            print(
                f"{name:32} {program:36} {seconds[program] * 1e3:9.1f} {work[2] / seconds[program]:9.1f} "
                f"{memory[program] / 2**20:7.0f} {ratios}", flush=True)
        results.append(
            dict(work=work[0], model=work[1], batch=work[2], size=work[3], seconds=seconds, memory=memory, peak=peak))
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(results, indent=2) + "\n")


main()
