public import Networks
public import Tensors

/// Why a network was not written for other programs, or weights were not read from them.
public enum InterchangeError: Error, Hashable, Sendable {
  /// A layer that the format, or the part of it that is written here, cannot express exactly.
  case unsupported(layer: String, operation: String, format: FileFormat, reason: String?)
  /// Weights that are not the network's.
  case weights(WeightError)
  /// A file of PyTorch's that gave no weights.
  case pyTorch(PyTorchError)
  /// An entry was asked of a file that is no checkpoint.
  case noEntries(path: String)
  /// A file of a kind that holds no weights which can be read here.
  case notWeights(path: String, WeightsFile.Kind)
  /// A file of foreign names whose layers could not be paired with the network's.
  case structure(MatchError)
  /// A file whose weights are integers: what they were before they were rounded is lost.
  case quantizedWeights
  /// A network that no longer fits together once batch norms are folded.
  case shape(ShapeError)
  /// Facts that do not fit the network: ten names for a hundred classes.
  case description(ModelDescription.Part, expected: Int, found: Int)
  /// More than the format's two gibibytes.
  case tooLarge(byteCount: Int, format: FileFormat)
  /// What was about to be written does not read back as it should: a fault of ours. Nothing was written.
  case notAsMeant(FileFormat, problem: String)
  /// A file that could not be read or written, or there is no memory for it.
  case file(TensorError)
}

extension InterchangeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupported(let layer, let operation, let format, let reason):
      if let reason {
        "layer '\(layer)': \(format) has no exact equivalent of \(operation) \(reason)"
      } else {
        "layer '\(layer)': \(operation) is not exported to \(format) yet"
      }
    case .weights(let error): "\(error)"
    case .pyTorch(let error): "\(error)"
    case .noEntries(let path): "\(path) has no entries: only checkpoints of PyTorch have"
    case .notWeights(let path, let kind):
      kind == .empty
        ? "\(path) is empty"
        : "\(path) is \(kind.rawValue); weights are read from safetensors, PyTorch, ONNX and TensorFlow Lite files"
    case .structure(let error): "\(error)"
    case .quantizedWeights:
      "the file's weights are quantized, so the network's float32 weights are lost: Reprise keeps those in "
        + ".safetensors files"
    case .shape(let error): "\(error)"
    case .description(let part, let expected, let found):
      "the network needs \(expected) \(part.rawValue), not \(found)"
    case .tooLarge(let byteCount, let format):
      "\(format) holds at most 2 GiB, this network takes \(TensorError.amount(byteCount))"
    case .notAsMeant(let format, let problem):
      "the \(format) file failed its check and was not written: \(problem)"
    case .file(let error): "\(error)"
    }
  }
}
