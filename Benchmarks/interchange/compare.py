"""What LiteRT, ONNX Runtime and OpenVINO answer to the files that Reprise exports, against what Reprise answers.

    REPRISE_EXPORTS=FOLDER swift test -c release --no-parallel --disable-testable-imports --filter AgreementTests/write
    pip install -r Benchmarks/interchange/requirements.txt
    python Benchmarks/interchange/compare.py FOLDER [--record]

Of each network FOLDER holds its files, a batch, and the expected answers: of small networks by the definitions evaluated
in 64 bits, of large ones by the engine, for quantized ones as it simulates them. Every ONNX file also goes through
`onnx.checker` with full type inference.

Networks in float32: asks that answers are within 1e-4 of what is expected, relative to the largest of it or 1, and that
vectors have the same largest element. Quantized networks: counts how many steps of the answer's quantizer lie between,
the share of answers within one step, and images with another largest element (of equal ones any will do). Where a sum
lies on the edge between two levels, programs may round it otherwise, and the layers behind it carry that on: asks for at
most 8 steps. Of the large QDQ files it asks that both runtimes compute convolutions and dense layers in integers.
Exit status 1 where something is not so.

On processors of the x86 family without VNNI, 8-bit products of these two runtimes are added in 16 bits, which can be too
few. ONNX Runtime is told to be exact (`session.x64quantprecision`); OpenVINO cannot be, so there its answers are shown,
and asked for where weights have 7 bits.

With --record, Tests/InterchangeTests/Goldens/agreement.txt is written: a line for each file with the CRC-32 of its
bytes as `exported` gives them, and the largest difference: relative, or in steps with the share within one.
"""

import argparse
import pathlib
import sys
import tempfile
import zlib
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import openvino
from ai_edge_litert.interpreter import Interpreter

GOLDEN = pathlib.Path(__file__).parents[2] / "Tests/InterchangeTests/Goldens/agreement.txt"
TOLERANCE = 1e-4


def run_onnx(path, batch):
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        options.optimized_model_filepath = file.name
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        operators = [node.op_type for node in onnx.load(file.name).graph.node]
    return session.run(None, {session.get_inputs()[0].name: batch})[0], operators


def run_openvino(path, batch):
    model = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answer = model(batch)[0]
    operators = []
    for node in model.get_runtime_model().get_ops():
        facts = node.get_rt_info()
        kind, precision = str(facts["layerType"].astype(str)), str(facts["runtimePrecision"].astype(str))
        if kind in ("Convolution", "FullyConnected", "MatMul"):
            operators.append(kind if precision in ("i8", "u8") else f"float {kind}")
    return answer, operators


def run_lite(path, batch):
    if batch.ndim == 4:
        batch = batch.transpose(0, 2, 3, 1)
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    entry, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    batch = levels(batch, entry)
    interpreter.resize_tensor_input(entry["index"], batch.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], batch)
    interpreter.invoke()
    answer = interpreter.get_tensor(end["index"])
    # The graph's entry by name, as applications call it, one image at a time.
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    (name,) = runner.get_input_details().keys()
    single = next(iter(runner(**{name: batch[:1]}).values()))
    assert np.allclose(single, answer[:1], atol=1e-5), "the batch changes the answer"
    if end["dtype"] == np.int8:
        scale, zero = end["quantization"]
        answer = np.float32(scale) * (answer.astype(np.float32) - zero)
    return (answer.transpose(0, 3, 1, 2) if answer.ndim == 4 else answer), [str(entry["dtype"].__name__)]


def levels(batch, entry):
    """A batch as the network's entry takes it."""
    if entry["dtype"] == np.float32:
        return np.ascontiguousarray(batch)
    scale, zero = entry["quantization"]
    return np.clip(np.rint(batch / np.float32(scale)) + zero, -128, 127).astype(np.int8)


def checksum(data):
    return f"{zlib.crc32(data):08x}"


class Comparison:
    """Of an answer with another, by images."""

    def __init__(self, answer, expected, step):
        assert answer.shape == expected.shape, f"{answer.shape} for {expected.shape}"
        self.absolute = float(np.abs(answer - expected).max())
        self.relative = self.absolute / max(1, float(np.abs(expected).max()))
        self.step = step
        if expected.ndim == 2:
            chosen = answer.argmax(1)[:, None]
            other = np.take_along_axis(expected, chosen, 1)[:, 0] < expected.max(1)
            self.others = int(other.sum())
        else:
            self.others = 0
        if step:
            steps = np.rint(np.abs(answer - expected) / step)
            self.steps, self.share = int(steps.max()), float((steps <= 1).mean())

    def __str__(self):
        if not self.step:
            return f"{self.relative:.1e} (absolute {self.absolute:.1e}), {self.others} other top-1"
        return f"{self.steps} steps, {self.share:.2%} within one, {self.others} other top-1"

    @property
    def recorded(self):
        return f"{self.steps}:{self.share:.4f}" if self.step else f"{self.relative:.1e}"


def is_good(comparison, is_quantized):
    if comparison.step:
        return comparison.steps <= 8
    if is_quantized:
        # Rounded within: some steps there.
        return comparison.relative <= 0.05
    return comparison.relative <= TOLERANCE and not comparison.others


def adds_in_16_bits():
    flags = pathlib.Path("/proc/cpuinfo").read_text().lower()
    return "avx2" in flags and "vnni" not in flags


def stray(kind, operators):
    """Operators that should have been in integers."""
    if kind == "onnx":
        return [name for name in operators if name in ("Conv", "FusedConv", "Gemm", "FusedGemm")]
    return [name for name in operators if name.startswith("float")] if kind == "openvino" else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--only", default="", help="names that begin so")
    options = parser.parse_args()
    runners = {
        "onnx": (run_onnx, "onnx", f"onnxruntime {version('onnxruntime')}"),
        "openvino": (run_openvino, "onnx", f"openvino {version('openvino')}"),
        "tflite": (run_lite, "tflite", f"ai-edge-litert {version('ai-edge-litert')}"),
    }
    print(f"onnx {version('onnx')}, numpy {version('numpy')}, " + ", ".join(name for *_, name in runners.values()))
    lines, wrong = [], 0
    for file in sorted(options.folder.glob(f"{options.only}*.expected.npy")):
        name = file.name.removesuffix(".expected.npy")
        expected, batch = np.load(file), np.load(options.folder / f"{name}.input.npy")
        is_large = name.startswith("large-")
        steps = options.folder / f"{name}.step.npy"
        is_quantized = steps.exists()
        step = float(np.load(steps)[0]) if is_quantized else 0
        whole = options.folder / f"{name}.int8.npy"
        if whole.exists():
            print(f"{name} in integers: {Comparison(np.load(whole), expected, step)}, {len(batch)} images")
        for kind, (run, ending, program) in runners.items():
            path = options.folder / f"{name}.{ending}"
            if not path.exists() or (kind == "openvino" and not is_quantized):
                continue
            try:
                answer, operators = run(path, batch)
                comparison = Comparison(answer, expected, step)
            except Exception as problem:  # whatever the program says is the finding
                print(f"{path.name} ({kind}): {problem}")
                wrong += 1
                continue
            floats = stray(kind, operators) if is_quantized else []
            good = is_good(comparison, is_quantized) and not (is_large and floats)
            if kind == "openvino" and "7_bits" not in name and adds_in_16_bits():
                good = True
            wrong += not good
            facts = f", {len(batch)} images" + (f", in float32: {len(floats)} {sorted(set(floats))}" if floats else "")
            if is_quantized and kind == "onnx":
                facts += f", {sum(o.startswith(('QLinearConv', 'QGemm')) for o in operators)} in integers"
            print(f"{path.name:60} {program.split()[0]:15} {comparison}{facts}{'' if good else '  WRONG'}")
            if kind != "openvino" and not is_large:
                lines.append(f"{path.name} {checksum(path.read_bytes())} {comparison.recorded} {program}")
    print(f"{len(lines)} files recorded or to record, {wrong} wrong")
    if options.record and not wrong:
        GOLDEN.write_text(
            "# File, CRC-32 of its bytes, largest difference, program. Made by Benchmarks/interchange/compare.py.\n"
            + "\n".join(lines) + "\n"
        )  # fmt: skip
    sys.exit(wrong > 0)


main()
