public import Tensors

/// Why a chart could not be drawn, kept or read.
public enum ChartError: Error, Hashable, Sendable {
  /// The picture would be too small or too large: see ``Chart/allowedSides`` and ``Chart/allowedArea``.
  case size(width: Int, height: Int)
  /// The picture has no room for its panels.
  case crowded(panels: Int, width: Int, height: Int)
  /// There is more to draw than a picture can show or its file should carry: see ``Chart/Content``.
  case tooMuch(Chart.Content, count: Int, limit: Int)
  /// A call of libgd failed: there is too little memory.
  case drawing(call: String)
  /// A PNG keyword has 1 to 79 Latin-1 characters and no outer or double spaces; a text has no NUL.
  case textChunk(keyword: String)
  /// The bytes are not a whole PNG file, or were damaged: the first place where that shows.
  case notPNG(offset: Int)
  /// The picture carries no chart, or one that this version cannot read.
  case noChart
  /// The system refused to write the file: its folder does not exist, the disk is full.
  case unwritable(TensorError)
}
