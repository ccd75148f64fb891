/// A place in the picture. Pixels from the top left corner.
package struct Position: Hashable, Sendable {
  package var x, y: Double

  package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

  func distance(to other: Position) -> Double {
    let (dx, dy) = (other.x - x, other.y - y)
    return (dx * dx + dy * dy).squareRoot()
  }
}

/// An upright rectangle. Pixels from the top left corner.
package struct Rectangle: Hashable, Sendable {
  package var left, top, right, bottom: Double

  package init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  package var width: Double { right - left }
  package var height: Double { bottom - top }

  /// The rectangle grown by `margin` on each side.
  func grown(by margin: Double) -> Rectangle {
    Rectangle(left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin)
  }

  package func overlaps(_ other: Rectangle) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  /// Whether they have a point in common, were it on their edges.
  func touches(_ other: Rectangle) -> Bool {
    left <= other.right && other.left <= right && top <= other.bottom && other.top <= bottom
  }

  package func contains(_ other: Rectangle) -> Bool {
    left <= other.left && other.right <= right && top <= other.top && other.bottom <= bottom
  }

  func contains(_ position: Position) -> Bool {
    left <= position.x && position.x <= right && top <= position.y && position.y <= bottom
  }

  /// The part of the line from `a` to `b` that lies inside (Liang and Barsky, 1984), or `nil` if none does.
  func clip(_ a: Position, _ b: Position) -> (Position, Position)? {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    var (enter, leave) = (0.0, 1.0)
    for (step, room) in [(-dx, a.x - left), (dx, right - a.x), (-dy, a.y - top), (dy, bottom - a.y)] {
      if step == 0 {
        if room < 0 { return nil }
      } else if step < 0 {
        enter = max(enter, room / step)
      } else {
        leave = min(leave, room / step)
      }
    }
    guard enter <= leave else { return nil }
    return (Position(a.x + enter * dx, a.y + enter * dy), Position(a.x + leave * dx, a.y + leave * dy))
  }
}
