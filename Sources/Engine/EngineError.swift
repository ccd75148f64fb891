public import Networks
public import Tensors

/// What can go wrong between a network and the processor.
public enum EngineError: Error, Hashable, Sendable {
  /// A oneDNN call failed; `status` is its own word.
  case library(call: String, status: String, layer: String?)
  case outOfMemory(byteCount: Int)
  /// Of a layer on integers there are activations whose sum of products does not fit into 32 bits.
  case sumsTooLarge(layer: String)
  /// Initial weights could not be drawn.
  case initialization(TensorError)
  case shape(ShapeError)
  case weights(WeightError)
  case wrongInput(expected: Shape, found: Shape)
  /// A batch must hold at least one sample.
  case emptyBatch
  /// The input of an inference holds NaN or infinite numbers, which activations and integers would hide.
  case inputNotFinite
  /// Numbers within an inference grew beyond the range of floats, at first in this layer.
  case notFinite(layer: String)
  /// The plan was to run before it had weights.
  case noWeights
  /// The system gives the engine no thread; in its own words.
  case noThread(reason: String)
  /// The processor has no instructions for it.
  case precision(Precision, instructionSet: String)
  /// Fake-quantized networks and integers have a precision of their own.
  case quantizedPrecision(Precision)
  /// Somebody wanted the work to stop.
  case interrupted
}

extension EngineError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .library(let call, let status, let layer):
      "oneDNN's \(call) failed: \(status)" + (layer.map { " (layer '\($0)')" } ?? "")
    case .outOfMemory(let byteCount): "\(TensorError.outOfMemory(byteCount: byteCount))"
    case .sumsTooLarge(let layer):
      "layer '\(layer)' can overflow 32-bit integers: it sums too many large weights"
    case .initialization(let error): "initial weights: \(error)"
    case .shape(let error): error.description
    case .weights(let error): error.description
    case .wrongInput(let expected, let found): "the network takes \(expected), \(found) was given"
    case .emptyBatch: "a batch holds at least one sample"
    case .inputNotFinite: "the network's input contains NaN or infinities"
    case .notFinite(let layer): "the output of layer '\(layer)' contains NaN or infinities: the weights or the input are too large"
    case .noWeights: "the network has no weights yet"
    case .noThread(let reason): "the system gives no thread to compute on: \(reason)"
    case .precision(let precision, let instructionSet):
      "\(precision.rawValue) needs a processor with AVX512_BF16 (Intel Cooper Lake or Sapphire Rapids, AMD Zen 4, "
        + "or later); here oneDNN uses \(instructionSet)"
    case .interrupted: "interrupted"
    case .quantizedPrecision(let precision):
      "a fake-quantized network is computed in float32 or on integers, not in \(precision.rawValue)"
    }
  }
}

/// Runs what may fail with an array's error as the engine's own.
func buffer(byteCount: Int) throws(EngineError) -> AlignedBuffer {
  do { return try AlignedBuffer(byteCount: byteCount) } catch { throw .outOfMemory(byteCount: byteCount) }
}

func zeros(_ shape: Shape) throws(EngineError) -> Tensor {
  do { return try Tensor(zeros: shape) } catch { throw .outOfMemory(byteCount: shape.elementCount * 4) }
}
