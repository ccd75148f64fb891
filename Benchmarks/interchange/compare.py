"""What LiteRT and ONNX Runtime answer to the files that Reprise exports, against the definitions evaluated in 64 bits.

    REPRISE_EXPORTS=FOLDER swift test -c release --disable-testable-imports --filter AgreementTests
    pip install -r Benchmarks/interchange/requirements.txt
    python Benchmarks/interchange/compare.py FOLDER [--record]

Of each network FOLDER holds the two files, a batch of two and the expected answers. Every ONNX file also goes through
`onnx.checker` with full type inference. Asks that answers are within 1e-4 of what is expected, relative to the largest of
it or 1, and that vectors have the same largest element; exit status 1 where one is not.

With --record, Tests/InterchangeTests/Goldens/agreement.txt is written: a line for each file with the CRC-32 of its
bytes as `ExportSample.exported` gives them, and the largest difference.
"""

import argparse
import pathlib
import sys
import zlib
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

GOLDEN = pathlib.Path(__file__).parents[2] / "Tests/InterchangeTests/Goldens/agreement.txt"
TOLERANCE = 1e-4


def run_onnx(path, batch):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def run_lite(path, batch):
    if batch.ndim == 4:
        batch = batch.transpose(0, 2, 3, 1)
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], batch.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.ascontiguousarray(batch))
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    # The graph's entry by name, as applications call it, one picture at a time.
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    (name,) = runner.get_input_details().keys()
    single = next(iter(runner(**{name: np.ascontiguousarray(batch[:1])}).values()))
    assert np.allclose(single, answer[:1], atol=1e-5), "the batch changes the answer"
    return answer.transpose(0, 3, 1, 2) if answer.ndim == 4 else answer


def checksum(data):
    return f"{zlib.crc32(data):08x}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    runners = {
        "onnx": (run_onnx, f"onnxruntime {version('onnxruntime')}"),
        "tflite": (run_lite, f"ai-edge-litert {version('ai-edge-litert')}"),
    }
    print(f"onnx {version('onnx')}, numpy {version('numpy')}, " + ", ".join(name for _, name in runners.values()))
    lines, wrong, worst = [], 0, dict.fromkeys(runners, 0.0)
    for file in sorted(options.folder.glob("*.expected.npy")):
        name = file.name.removesuffix(".expected.npy")
        expected, batch = np.load(file), np.load(options.folder / f"{name}.input.npy")
        for kind, (run, program) in runners.items():
            path = options.folder / f"{name}.{kind}"
            try:
                answer = run(path, batch)
                assert answer.shape == expected.shape, f"{answer.shape} for {expected.shape}"
                absolute = float(np.abs(answer - expected).max())
                difference = absolute / max(1, float(np.abs(expected).max()))
                same = expected.ndim != 2 or (answer.argmax(1) == expected.argmax(1)).all()
            except Exception as problem:  # whatever the program says is the finding
                print(f"{path.name}: {problem}")
                wrong += 1
                continue
            worst[kind] = max(worst[kind], difference)
            good = difference <= TOLERANCE and same
            wrong += not good
            print(f"{path.name:70} {difference:.1e} (absolute {absolute:.1e}) {'' if same else 'another top-1'}{'' if good else '  WRONG'}")
            lines.append(f"{path.name} {checksum(path.read_bytes())} {difference:.1e} {program}")
    print(f"{len(lines)} files, {wrong} wrong, worst {worst}")
    if options.record and not wrong:
        GOLDEN.write_text(
            "# File, CRC-32 of its bytes, largest difference, program. Made by Benchmarks/interchange/compare.py.\n"
            + "\n".join(lines) + "\n"
        )  # fmt: skip
    sys.exit(wrong > 0)


main()
