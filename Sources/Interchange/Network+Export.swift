public import Networks
public import Tensors

extension Network {
  /// Writes the network with its weights as other programs run it: in float32, or in 8 where it is quantized, batch norms folded, with logits as its
  /// answer. What is about to be written is read back and checked first; the file is written whole or not at all.
  ///
  /// - Parameter allowsNotFinite: whether weights may hold NaN or infinities.
  /// - Throws: `InterchangeError`.
  public func export(
    _ weights: Weights, as format: FileFormat, to path: String, _ description: ModelDescription,
    allowsNotFinite: Bool = false
  ) throws(InterchangeError) {
    // No number of levels stands for what is no number.
    if !allowsNotFinite || isQuantized { do { try weights.requireFinite() } catch { throw .weights(error) } }
    let bytes = try exported(weights, as: format, description)
    do { try writeAtomically(to: path, bytes: bytes) } catch { throw .file(error) }
  }

  /// The contents of the file that `export` writes.
  package func exported(
    _ weights: Weights, as format: FileFormat, _ description: ModelDescription
  ) throws(InterchangeError) -> [UInt8] {
    try description.check(against: self)
    let checked: Weights
    do { checked = try self.checked(weights) } catch { throw .weights(error) }
    let byteCount = checked.values.reduce(0) { $0 + 4 * $1.count }
    guard byteCount <= Self.largestExport else { throw .tooLarge(byteCount: byteCount, format: format) }
    let (network, folded): (Network, Weights)
    do { (network, folded) = try FoldBatchNorm()(self, checked) } catch { throw .shape(error) }
    switch format {
    case .onnx: return try ONNXExport.bytes(of: network, folded, description)
    case .tensorFlowLite: return try TFLiteExport.bytes(of: network, folded, description)
    }
  }

  /// Bytes of weights; leaves room for the rest below the 2 GiB that protocol buffers and FlatBuffers can address.
  private static var largestExport: Int { 1 << 31 - 1 << 24 }
}

extension Network.Layer {
  func unsupported(in format: FileFormat, _ reason: String? = nil) -> InterchangeError {
    .unsupported(layer: name, operation: operation.rules.summary, format: format, reason: reason)
  }
}

/// What the checkers find, in words.
package struct Problem: Error, Hashable {
  package let text: String
  init(_ text: String) { self.text = text }
}
