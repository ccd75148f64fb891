/// How much of each pixel a shape covers, 0 to 255.
///
/// Lines are drawn from the distance of a pixel's centre to the line: `coverage = radius + ½ − distance`. That gives
/// smooth edges, round joins and round ends at any thickness (gd smooths only lines one pixel wide), and a pixel
/// that two parts of a line cover is no darker.
package struct Coverage: Sendable {
  /// Pixels; the right and bottom one are outside.
  package let left, top, right, bottom: Int
  package private(set) var values: [UInt8]
  /// Where something was drawn: the rows to look at.
  private(set) var rows: Range<Int>

  /// An empty mask over the pixels that `rectangle` touches.
  package init(over rectangle: Rectangle) {
    left = Int(rectangle.left.rounded(.down))
    top = Int(rectangle.top.rounded(.down))
    right = max(left, Int(rectangle.right.rounded(.up)))
    bottom = max(top, Int(rectangle.bottom.rounded(.up)))
    values = Array(repeating: 0, count: (right - left) * (bottom - top))
    rows = top..<top
  }

  private var area: Rectangle {
    Rectangle(left: Double(left), top: Double(top), right: Double(right), bottom: Double(bottom))
  }

  package subscript(x: Int, y: Int) -> UInt8 { values[(y - top) * (right - left) + x - left] }

  /// Shows `amount` to one pixel; the larger coverage stays.
  private mutating func cover(_ x: Int, _ y: Int, _ amount: Double) {
    let index = (y - top) * (right - left) + x - left
    values[index] = max(values[index], UInt8(max(0, min(1, amount)) * 255 + 0.5))
  }

  private mutating func touch(_ first: Int, _ last: Int) {
    guard first <= last else { return }
    rows = rows.isEmpty ? first..<last + 1 : min(rows.lowerBound, first)..<max(rows.upperBound, last + 1)
  }

  /// Draws a line through `path`, `width` pixels thick; a single place gives a dot.
  package mutating func stroke(_ path: [Position], width: Double) {
    if path.count == 1 { segment(path[0], path[0], width: width) }
    for (a, b) in zip(path, path.dropFirst()) { segment(a, b, width: width) }
  }

  private mutating func segment(_ from: Position, _ to: Position, width: Double) {
    // A line thinner than a pixel is paler, not narrower.
    let strength = min(1, width)
    let reach = max(1, width) / 2 + 0.5
    guard let (a, b) = area.grown(by: reach + 2).clip(from, to) else { return }
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let square = dx * dx + dy * dy
    let length = square.squareRoot()
    let first = max(top, Int((min(a.y, b.y) - reach).rounded(.down)))
    let last = min(bottom - 1, Int((max(a.y, b.y) + reach).rounded(.down)))
    guard first <= last else { return }
    touch(first, last)
    for y in first...last {
      let centre = Double(y) + 0.5
      var (start, end) = (min(a.x, b.x) - reach, max(a.x, b.x) + reach)
      if abs(dy) > 1e-9 {
        // Where this row crosses the line, and how far along the row the line's thickness reaches.
        let crossing = a.x + (centre - a.y) / dy * dx
        let spread = reach * length / abs(dy)
        start = max(start, crossing - spread)
        end = min(end, crossing + spread)
      }
      let firstX = Int(max(Double(left), start.rounded(.down)))
      let lastX = Int(min(Double(right - 1), end.rounded(.down)))
      guard firstX <= lastX else { continue }
      for x in firstX...lastX where self[x, y] < 255 {
        let (px, py) = (Double(x) + 0.5 - a.x, centre - a.y)
        let along = square > 0 ? max(0, min(1, (px * dx + py * dy) / square)) : 0
        let (ex, ey) = (px - along * dx, py - along * dy)
        let amount = reach - (ex * ex + ey * ey).squareRoot()
        if amount > 0 { cover(x, y, min(1, amount) * strength) }
      }
    }
  }

  /// Fills a convex polygon.
  package mutating func fill(_ corners: [Position]) {
    guard corners.count > 2 else { return }
    // Twice the signed area gives the sense of rotation, and so which side of an edge is inside.
    let turn = zip(corners, corners.dropFirst() + [corners[0]]).reduce(0) { $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y }
    let sense = turn < 0 ? -1.0 : 1.0
    let first = max(top, Int((corners.map(\.y).min()! - 1).rounded(.down)))
    let last = min(bottom - 1, Int((corners.map(\.y).max()! + 1).rounded(.down)))
    let firstX = max(left, Int((corners.map(\.x).min()! - 1).rounded(.down)))
    let lastX = min(right - 1, Int((corners.map(\.x).max()! + 1).rounded(.down)))
    guard first <= last, firstX <= lastX else { return }
    touch(first, last)
    for y in first...last {
      for x in firstX...lastX {
        var inside = 1.0
        for (a, b) in zip(corners, corners.dropFirst() + [corners[0]]) {
          let length = max(a.distance(to: b), 1e-9)
          let cross = (b.x - a.x) * (Double(y) + 0.5 - a.y) - (b.y - a.y) * (Double(x) + 0.5 - a.x)
          inside = min(inside, sense * cross / length + 0.5)
        }
        if inside > 0 { cover(x, y, inside) }
      }
    }
  }

  /// Fills a disc.
  package mutating func fill(around centre: Position, radius: Double) {
    stroke([centre], width: radius * 2)
  }

  /// Fills what lies between two curves over the same rising x.
  package mutating func fill(between upper: [Position], and lower: [Position]) {
    let samples = 4
    let limits = (Double(top), Double(bottom))
    for index in upper.indices.dropLast() where upper[index + 1].x > upper[index].x {
      let (a, b) = (upper[index], upper[index + 1])
      let (c, d) = (lower[index], lower[index + 1])
      let first = Int((max(a.x, Double(left)) * Double(samples) - 0.5).rounded(.up))
      let last = Int((min(b.x, Double(right)) * Double(samples) - 0.5).rounded(.up)) - 1
      guard first <= last else { continue }
      for sample in first...last {
        let x = (Double(sample) + 0.5) / Double(samples)
        let share = (x - a.x) / (b.x - a.x)
        let ends = (a.y + share * (b.y - a.y), c.y + share * (d.y - c.y))
        let from = max(limits.0, min(ends.0, ends.1))
        let to = min(limits.1, max(ends.0, ends.1))
        guard from < to else { continue }
        let rows = (Int(from), min(bottom - 1, Int(to)))
        let column = sample / samples
        guard column >= left && column < right && rows.0 <= rows.1 else { continue }
        touch(rows.0, rows.1)
        for y in rows.0...rows.1 {
          let overlap = min(to, Double(y + 1)) - max(from, Double(y))
          let place = (y - top) * (right - left) + column - left
          values[place] = UInt8(min(255, Double(values[place]) + max(0, overlap) * 255 / Double(samples) + 0.5))
        }
      }
    }
  }

  /// How many pixels of `rectangle` something covers.
  package func count(in rectangle: Rectangle) -> Int {
    let (x0, x1) = (max(left, Int(rectangle.left.rounded(.down))), min(right, Int(rectangle.right.rounded(.up))))
    let (y0, y1) = (
      max(rows.lowerBound, Int(rectangle.top.rounded(.down))), min(rows.upperBound, Int(rectangle.bottom.rounded(.up)))
    )
    guard x0 < x1, y0 < y1 else { return 0 }
    var count = 0
    for y in y0..<y1 {
      let start = (y - top) * (right - left) - left
      for x in x0..<x1 where values[start + x] > 0 { count += 1 }
    }
    return count
  }

  /// Marks every pixel that `rectangle` touches as covered.
  mutating func cover(_ rectangle: Rectangle) {
    let (x0, x1) = (max(left, Int(rectangle.left.rounded(.down))), min(right, Int(rectangle.right.rounded(.up))))
    let (y0, y1) = (max(top, Int(rectangle.top.rounded(.down))), min(bottom, Int(rectangle.bottom.rounded(.up))))
    guard x0 < x1, y0 < y1 else { return }
    touch(y0, y1 - 1)
    for y in y0..<y1 {
      let start = (y - top) * (right - left) - left
      for x in x0..<x1 { values[start + x] = 255 }
    }
  }
}
