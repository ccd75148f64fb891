/// A matrix in pixels, with the key of its colours.
struct CellLayout: Sendable {
  private(set) var cells: [(box: Rectangle, color: Color)] = []
  /// The values in their cells: all of them, or none where one does not fit.
  private(set) var labels: [Label] = []

  init(_ map: HeatMap, x: Mapping, y: Mapping, textSize: Double, _ typeface: Typeface) {
    let (low, high) = map.extremes
    let values = map.shown
    var numbers: [Double] = []
    for (row, line) in values.enumerated() {
      for (column, value) in line.enumerated() where Mapping.isShown(value, .linear) {
        guard let left = x(Double(column) + 0.5), let right = x(Double(column) + 1.5),
          let top = y(Double(row) + 0.5), let bottom = y(Double(row) + 1.5)
        else { continue }
        // Halved, since the distance of two finite values may not be finite.
        let share = (value / 2 - low / 2) / (high / 2 - low / 2)
        cells.append((Rectangle(left: left, top: top, right: right, bottom: bottom), ColorScale.color(share)))
        numbers.append(value)
      }
    }
    guard let box = cells.first?.box, cells.count <= 10_000 else { return }
    for isShort in [false, true] {
      let texts = CellLayout.texts(numbers, map, isShort: isShort, dot: typeface == .builtIn ? "." : "·")
      guard let size = CellLayout.size(of: texts, in: box, textSize, typeface) else { continue }
      let (ascent, descent) = typeface.extent(size: size)
      labels = zip(cells, texts).compactMap { cell, text in
        guard !text.isEmpty else { return nil }
        let centre = Position(
          (cell.box.left + cell.box.right) / 2, (cell.box.top + cell.box.bottom + ascent - descent) / 2)
        return Label(text, at: centre, .middle, size: size, color: cell.color.inkOnTop, in: typeface)
      }
      break
    }
  }

  private static func texts(_ values: [Double], _ map: HeatMap, isShort: Bool, dot: String) -> [String] {
    var texts: [String]
    if map.showsShares {
      texts = values.map { value in
        // A share that is there must not look like none.
        if value > 0 && value < 0.005 { return "<1 %" }
        return value < 1 && value >= 0.995 ? ">99 %" : Ticks.fixed(value * 100, 0) + " %"
      }
    } else {
      texts = ValueText.texts(values, map.format, digits: isShort ? 2 : 3)
    }
    if isShort && map.format == .percent { texts = texts.map { $0.replacing(" %", with: "") } }
    // Where things are counted, most cells of a good model are empty: a dot keeps the others in view.
    guard map.showsShares || values.allSatisfy({ $0.rounded() == $0 }) else { return texts }
    return zip(values, texts).map { $0 == 0 ? dot : $1 }
  }

  /// The size at which all texts fit into a cell, or `nil` if they would be too small to read.
  private static func size(
    of texts: [String], in box: Rectangle, _ textSize: Double, _ typeface: Typeface
  ) -> Double? {
    var size = min(textSize, box.height * 0.5)
    let longest = Set(texts)
    func widest(_ size: Double) -> Double { longest.map { typeface.width(of: $0, size: size) }.max() ?? 0 }
    let width = widest(size)
    if width > box.width * 0.84 { size *= box.width * 0.84 / width }
    let (ascent, descent) = typeface.extent(size: size)
    guard size >= 9, widest(size) <= box.width * 0.94, ascent + descent <= box.height * 0.98 else { return nil }
    return size
  }
}

/// What the colours of a matrix stand for: a strip beside the plot, with ticks.
struct ColorKey: Sendable {
  let ticks: Ticks
  private let texts: [String]
  private let title: String
  private let size: Double
  /// What it takes beside the plot. Pixels.
  let width: Double
  private(set) var strip = Rectangle(left: 0, top: 0, right: 0, bottom: 0)
  private(set) var labels: [Label] = []
  /// The heights of the ticks. Pixels.
  private(set) var marks: [Double] = []

  init(_ map: HeatMap, height: Double, textSize: Double, limit: Double, _ typeface: Typeface) {
    size = textSize
    let (low, high) = map.extremes
    let count = max(2, min(8, Int(height / (textSize * 2.4))))
    ticks = Ticks.linear(low, high, atMost: count)
    let labels = ticks.labels(map.format, superscripts: typeface.hasSuperscripts)
    texts = labels.texts.map { typeface.fit($0, into: limit * 0.3, size: textSize * 0.88) }
    title = typeface.fit(PanelLayout.title(map.label, labels.note), into: height, size: textSize)
    let widest = texts.map { typeface.width(of: $0, size: textSize * 0.88) }.max() ?? 0
    let (ascent, descent) = typeface.extent(size: textSize)
    width = textSize * 2.6 + widest + (title.isEmpty ? 0 : ascent + descent + textSize * 0.3)
  }

  /// The key to the right of a plot, as high as it.
  func placed(beside plot: Rectangle, _ typeface: Typeface) -> ColorKey {
    var key = self
    let left = (plot.right + size * 0.9).rounded()
    key.strip = Rectangle(left: left, top: plot.top, right: (left + size * 1.1).rounded(), bottom: plot.bottom)
    let mapping = Mapping(ticks, .linear, from: plot.bottom, to: plot.top)
    let tickSize = size * 0.88
    let (ascent, descent) = typeface.extent(size: tickSize)
    for (tick, text) in zip(ticks.major, texts) {
      guard let height = mapping(tick), !text.isEmpty else { continue }
      key.marks.append(height)
      let place = Position(key.strip.right + size * 0.5, height + (ascent - descent * 0.2) / 2)
      key.labels.append(Label(text, at: place, .start, size: tickSize, color: Palette.secondaryInk, in: typeface))
    }
    if !title.isEmpty {
      let descent = typeface.extent(size: size).descent
      let right = plot.right + width - descent
      key.labels.append(
        Label(
          title, at: Position(right, (plot.top + plot.bottom) / 2), .middle, size: size, upright: true, in: typeface))
    }
    return key
  }
}
