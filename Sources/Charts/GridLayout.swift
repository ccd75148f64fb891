/// Where the pictures of a panel stand.
package struct GridLayout: Sendable {
  struct Place: Sendable {
    let tile: Tile
    let box: Rectangle
  }

  package private(set) var labels: [Label] = []
  private(set) var places: [Place] = []
  /// The thickness of a frame around a wrong answer. Pixels.
  let frameWidth: Double

  /// The frames of the pictures. Pixels.
  package var boxes: [Rectangle] { places.map(\.box) }

  /// `nil` if there is no room for a pixel of each.
  init?(_ grid: ImageGrid, titled title: String, in frame: PanelFrame, _ typeface: Typeface) {
    let size = frame.textSize
    var area = frame.cell
    frameWidth = max(3, (size * 0.25).rounded())
    let titleSize = size * 1.02
    let titleExtent = typeface.extent(size: titleSize)
    if frame.hasTitle {
      let text = typeface.fit(title, into: area.width, size: titleSize, bold: true)
      if !text.isEmpty {
        let place = Position(area.left, area.top + titleExtent.ascent)
        labels.append(Label(text, at: place, .start, size: titleSize, bold: true, in: typeface))
      }
      area.top += titleExtent.ascent + titleExtent.descent + size * 0.5
    }
    let tiles = grid.pictures
    guard !tiles.isEmpty else {
      let text = typeface.fit("no data", into: area.width, size: size)
      let centre = Position((area.left + area.right) / 2, (area.top + area.bottom) / 2)
      if !text.isEmpty {
        labels.append(Label(text, at: centre, .middle, size: size, color: Palette.secondaryInk, in: typeface))
      }
      return
    }
    let captionSize = max(9, size * 0.8)
    let (ascent, descent) = typeface.extent(size: captionSize)
    let line = ascent + descent + 1
    let margin = frameWidth + 1
    let widths = Set(tiles.map(\.caption)).filter { !$0.isEmpty }.map { typeface.width(of: $0, size: captionSize) }
    let widest = widths.max() ?? 0
    let (tileWidth, tileHeight) = (tiles.map(\.width).max() ?? 1, tiles.map(\.height).max() ?? 1)
    let gap = (x: size, y: size * 0.55)

    struct Arrangement { var columns, rows, lines: Int, scale: Double, cell: (width: Double, height: Double) }
    func arrangement(_ columns: Int) -> Arrangement {
      let rows = (tiles.count + columns - 1) / columns
      let width = (area.width - gap.x * Double(columns - 1)) / Double(columns)
      let height = (area.height - gap.y * Double(rows - 1)) / Double(rows)
      let lines = widest == 0 ? 0 : widest <= width * 0.97 ? 1 : 2
      let room = (width: width - 2 * margin, height: height - 2 * margin - Double(lines) * line)
      let scale = min(room.width / Double(tileWidth), room.height / Double(tileHeight))
      return Arrangement(columns: columns, rows: rows, lines: lines, scale: scale, cell: (width, height))
    }
    /// Whole pixels for each pixel, or fewer than one.
    func whole(_ scale: Double) -> Double { scale >= 1 ? scale.rounded(.down) : scale }
    let candidates = grid.columns.map { max(1, min(tiles.count, $0))...max(1, min(tiles.count, $0)) } ?? 1...tiles.count
    // The largest pictures; among equals captions in one line, then few empty places, then the widest captions.
    let best = candidates.lazy.map(arrangement).min { a, b in
      if whole(a.scale) != whole(b.scale) { return whole(a.scale) > whole(b.scale) }
      if a.lines != b.lines { return a.lines < b.lines }
      if a.rows != b.rows { return a.rows < b.rows }
      return a.columns < b.columns
    }
    guard let best, best.scale * Double(min(tileWidth, tileHeight)) >= 1, best.scale > 0 else { return nil }
    let scale = whole(best.scale)
    for (index, tile) in tiles.enumerated() {
      let (row, column) = (index / best.columns, index % best.columns)
      let centre = area.left + (Double(column) + 0.5) * best.cell.width + Double(column) * gap.x
      let used = Double(tileHeight) * scale + 2 * margin + Double(best.lines) * line
      let top = (area.top + Double(row) * (min(best.cell.height, used) + gap.y) + margin).rounded()
      let (width, height) = ((Double(tile.width) * scale).rounded(), (Double(tile.height) * scale).rounded())
      let left = (centre - width / 2).rounded()
      // Pictures of a row stand on one line.
      let down = (Double(tileHeight) * scale - height).rounded()
      let box = Rectangle(
        left: left, top: top + down, right: left + max(1, width), bottom: top + down + max(1, height))
      places.append(Place(tile: tile, box: box))
      guard best.lines > 0 else { continue }
      let lines = typeface.wrapped(tile.caption, into: best.cell.width, lines: best.lines, size: captionSize)
      for (number, text) in lines.enumerated() where !text.isEmpty {
        let baseline = box.bottom + margin + ascent + Double(number) * line
        labels.append(Label(text, at: Position(centre, baseline), .middle, size: captionSize, in: typeface))
      }
    }
  }
}
