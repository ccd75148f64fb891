/// One line of text in its place.
package struct Label: Hashable, Sendable {
  package enum Anchor: Sendable { case start, middle, end }

  package let text: String
  /// What the text may touch.
  package private(set) var box: Rectangle
  private(set) var baseline: Position
  let size: Double
  let isBold: Bool
  /// Reads from bottom to top.
  let isUpright: Bool
  let color: Color

  /// - Parameter position: On the baseline: its start, middle or end, as `anchor` says.
  init(
    _ text: String, at position: Position, _ anchor: Anchor, size: Double, bold: Bool = false, upright: Bool = false,
    color: Color = Palette.ink, in typeface: Typeface
  ) {
    (self.text, self.size, self.isBold, self.isUpright, self.color) = (text, size, bold, upright, color)
    let width = typeface.width(of: text, size: size, bold: bold)
    let (ascent, descent) = typeface.extent(size: size)
    let before =
      switch anchor {
      case .start: 0.0
      case .middle: width / 2
      case .end: width
      }
    if upright {
      baseline = Position(position.x, position.y + before)
      box = Rectangle(
        left: position.x - ascent, top: baseline.y - width, right: position.x + descent, bottom: baseline.y)
    } else {
      baseline = Position(position.x - before, position.y)
      box = Rectangle(
        left: baseline.x, top: position.y - ascent, right: baseline.x + width, bottom: position.y + descent)
    }
  }

  func moved(right: Double = 0, down: Double = 0) -> Label {
    var label = self
    label.baseline = Position(baseline.x + right, baseline.y + down)
    label.box = Rectangle(
      left: box.left + right, top: box.top + down, right: box.right + right, bottom: box.bottom + down)
    return label
  }
}
