/// The axis below a plot: ticks, their texts, and the title.
struct HorizontalAxis: Sendable {
  let ticks: Ticks
  let isNamed: Bool
  /// Where the plot ends. Pixels.
  let right: Double
  private let texts: [String]
  private let names: PlaceNames?
  private let title: String
  private let textSize: Double

  private var tickSize: Double { textSize * 0.88 }

  /// The height that the axis takes below the plot, without the title. Pixels.
  static func height(_ names: PlaceNames?, textSize: Double, _ typeface: Typeface) -> Double {
    let (ascent, descent) = typeface.extent(size: textSize * 0.88)
    return (names?.height ?? ascent + descent) + gap(textSize, typeface)
  }

  /// From the plot to the texts, so that the first keeps clear of the last one beside the plot. Pixels.
  private static func gap(_ textSize: Double, _ typeface: Typeface) -> Double {
    let (ascent, descent) = typeface.extent(size: textSize * 0.88)
    return max(textSize * 0.6, (ascent + descent) / 2 + descent * 0.4 + 1)
  }

  /// `nil` if there is no room.
  ///
  /// - Parameters:
  ///   - cell: The plot's height, and from its left edge to what is beside it on the right.
  ///   - rightmost: Where the plot ends at the latest. Pixels.
  init?(
    _ panel: Panel, _ extremes: Extremes, _ names: PlaceNames?, in cell: Rectangle, rightmost: Double,
    textSize: Double, _ typeface: Typeface
  ) {
    self.textSize = textSize
    self.names = names
    isNamed = names != nil
    let tickSize = textSize * 0.88
    var right = min(rightmost, cell.right - textSize * 0.3)
    var chosen: (ticks: Ticks, texts: [String], note: String)?
    for _ in 0..<2 {
      guard right - cell.left >= textSize * 3 else { return nil }
      if let names {
        chosen = (names.ticks(over: right - cell.left, typeface), [], "")
        break
      }
      let fitting = HorizontalAxis.fitting(
        panel, extremes, from: cell.left, to: right, height: cell.height, textSize, typeface)
      chosen = fitting
      let mapping = Mapping(fitting.ticks, panel.horizontal.scale, from: cell.left, to: right)
      let reach =
        zip(fitting.ticks.major, fitting.texts).map { tick, text in
          (mapping(tick) ?? cell.left) + typeface.width(of: text, size: tickSize) / 2
        }.max() ?? right
      guard reach > cell.right else { break }
      right -= reach - cell.right + 1
    }
    guard let chosen, right - cell.left >= textSize * 3 else { return nil }
    (ticks, texts, self.right) = (chosen.ticks, chosen.texts, right)
    title = PanelLayout.title(panel.horizontal.label, chosen.note)
  }

  /// As many ticks as their texts leave room for.
  private static func fitting(
    _ panel: Panel, _ extremes: Extremes, from left: Double, to right: Double, height: Double, _ textSize: Double,
    _ typeface: Typeface
  ) -> (ticks: Ticks, texts: [String], note: String) {
    let (axis, size) = (panel.horizontal, textSize * 0.88)
    let span = panel.liesDown ? extremes.values : extremes.places
    let written = BarLayout.writing(for: panel, length: height, textSize: textSize, typeface)
    let room = panel.liesDown ? min(0.3, written.room / (right - left)) : 0
    // Few things that are counted all have their number.
    let isShort = !panel.liesDown && span.map { $0.evenPlaces != nil || $0.areIntegers && $0.last - $0.first < 20 } ?? false
    var limit = max(2, min(isShort ? 20 : 10, Int((right - left) / (size * (isShort ? 1.8 : 4)))))
    while true {
      let ticks = axis.ticks(
        over: span, atMost: limit, padding: panel.liesDown ? 0.05 : 0.03, ofPlaces: !panel.liesDown, room: room)
      let labels = ticks.labels(axis.format, superscripts: typeface.hasSuperscripts)
      let texts = labels.texts.map { typeface.fit($0, into: (right - left) * 0.45, size: size) }
      let mapping = Mapping(ticks, axis.scale, from: left, to: right)
      let spans = zip(ticks.major, texts).map { tick, text in
        let (middle, width) = (mapping(tick) ?? left, typeface.width(of: text, size: size))
        return (left: middle - width / 2, right: middle + width / 2)
      }
      let fits = zip(spans, spans.dropFirst()).allSatisfy { $0.right + size * 0.9 <= $1.left }
      if fits || limit == 2 { return (ticks, texts, labels.note) }
      limit -= 1
    }
  }

  /// The texts below the plot; `nil` if a name that stands level does not fit whole.
  func labels(_ x: Mapping, below plot: Rectangle, in cell: Rectangle, _ typeface: Typeface) -> [Label]? {
    var labels: [Label] = []
    if let names {
      guard let written = names.labels(at: ticks.major, x, plot, typeface) else { return nil }
      labels = written
    }
    let ascent = typeface.extent(size: tickSize).ascent
    var free = cell.left
    for (tick, text) in zip(ticks.major, texts) where !text.isEmpty {
      let place = Position(x(tick) ?? plot.left, plot.bottom + HorizontalAxis.gap(textSize, typeface) + ascent)
      let label = Label(text, at: place, .middle, size: tickSize, color: Palette.secondaryInk, in: typeface)
      guard label.box.left >= free, label.box.right <= cell.right + textSize * 0.5 else { continue }
      free = label.box.right + textSize * 0.4
      labels.append(label)
    }
    let title = typeface.fit(title, into: cell.width, size: textSize)
    if !title.isEmpty {
      let width = typeface.width(of: title, size: textSize)
      let middle = max(cell.left + width / 2, min(cell.right - width / 2, (plot.left + plot.right) / 2))
      let top = plot.bottom + HorizontalAxis.height(names, textSize: textSize, typeface) + textSize * 0.3
      let place = Position(middle, top + typeface.extent(size: textSize).ascent)
      labels.append(Label(title, at: place, .middle, size: textSize, in: typeface))
    }
    return labels
  }
}
