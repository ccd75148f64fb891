internal import Tensors

extension Chart {
  /// Draws the chart into a file.
  ///
  /// The file appears whole or not at all, and one that was there stays until then.
  public func write(to path: String, typeface: Typeface = .standard, text: [TextChunk] = []) throws(ChartError) {
    try PNG.write(try render(typeface: typeface, text: text), to: path)
  }
}

extension PNG {
  /// Writes a file whole or not at all, as `writeAtomically(to:_:)` does.
  public static func write(_ bytes: [UInt8], to path: String) throws(ChartError) {
    do { try writeAtomically(to: path, bytes: bytes) } catch { throw .unwritable(error) }
  }
}
