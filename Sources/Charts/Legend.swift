/// The names of the series with samples of their lines and colours.
package struct Legend: Sendable {
  /// What stands before a name.
  enum Sample: Hashable, Sendable { case line, points, area }

  struct Entry: Hashable, Sendable {
    let name: String
    /// `nil` for a reference line.
    let style: ResolvedStyle?
    let sample: Sample
  }

  package private(set) var box: Rectangle
  private(set) var labels: [Label] = []
  /// The middle of the left end of each sample.
  private(set) var samples: [(entry: Entry, start: Position)] = []
  /// Over a plot the legend has a white ground and a frame.
  private(set) var isFramed = false
  /// The length of a sample. Pixels.
  let sampleWidth: Double

  /// The named series of a panel of which something is drawn, each name once.
  static func entries(of panel: Panel, styles: [ResolvedStyle]) -> [Entry] {
    var names: Set<String> = []
    return zip(panel.marks, styles).compactMap { mark, style in
      guard let name = mark.identity?.name, !name.isEmpty, mark.isDrawn(in: panel), names.insert(name).inserted
      else { return nil }
      let sample: Sample =
        switch mark {
        case .points, .dots: .points
        case .bars, .histogram: .area
        case .line, .heatMap, .pictures, .reference: .line
        }
      return Entry(name: name, style: style, sample: sample)
    }
  }

  /// One entry below the other, at the origin. Long names are cut; entries that do not fit are counted in a last line.
  ///
  /// - Parameter complete: Whether to give `nil` rather than cut or leave out anything.
  /// - Returns: `nil` if there is nothing to show or no room at all.
  init?(
    _ entries: [Entry], widest: Double, highest: Double, textSize: Double, in typeface: Typeface, complete: Bool = false
  ) {
    let size = textSize * 0.9
    let (ascent, descent) = typeface.extent(size: size)
    let line = max(textSize * 1.3, ascent + descent + 2)
    let margin = textSize * 0.45
    sampleWidth = textSize * 2.4
    let indent = margin + sampleWidth + textSize * 0.5
    let room = widest - indent - margin
    let rows = Int((highest - 2 * margin) / line)
    guard !entries.isEmpty, room >= textSize * 2, rows >= 1 else { return nil }
    let isCut = entries.count > rows
    if complete && isCut { return nil }
    let shown = isCut ? entries.prefix(rows - 1) : entries[...]
    var width = 0.0
    for (row, entry) in shown.enumerated() {
      let text = typeface.fit(entry.name, into: room, size: size)
      if complete && text.hasSuffix("…") && !entry.name.hasSuffix("…") { return nil }
      let middle = margin + (Double(row) + 0.5) * line
      labels.append(
        Label(text, at: Position(indent, middle + (ascent - descent) / 2), .start, size: size, in: typeface))
      samples.append((entry, Position(margin, middle)))
      width = max(width, labels[row].box.width)
    }
    if isCut {
      let middle = margin + (Double(rows) - 0.5) * line
      let text = typeface.fit("and \(entries.count - shown.count) more", into: room, size: size)
      labels.append(
        Label(
          text, at: Position(indent, middle + (ascent - descent) / 2), .start, size: size,
          color: Palette.secondaryInk, in: typeface))
      width = max(width, labels[rows - 1].box.width)
    }
    box = Rectangle(
      left: 0, top: 0, right: indent + width + margin, bottom: 2 * margin + Double(labels.count) * line)
  }

  /// The entries side by side in lines of `width`, at the origin; `nil` if one does not fit a line.
  init?(flowing entries: [Entry], over width: Double, textSize: Double, in typeface: Typeface) {
    let size = textSize * 0.9
    let (ascent, descent) = typeface.extent(size: size)
    let line = max(textSize * 1.3, ascent + descent + 2)
    sampleWidth = textSize * 2.4
    let indent = sampleWidth + textSize * 0.5
    let widths = entries.map { indent + typeface.width(of: $0.name, size: size) + textSize * 1.2 }
    guard let widest = widths.max(), widest <= width else { return nil }
    // In columns, so that the samples stand below each other.
    let columns = min(entries.count, Int(width / widest))
    let rows = (entries.count + columns - 1) / columns
    for (index, entry) in entries.enumerated() {
      let left = Double(index % columns) * widest
      let middle = textSize * 0.4 + (Double(index / columns) + 0.5) * line
      samples.append((entry, Position(left, middle)))
      let place = Position(left + indent, middle + (ascent - descent) / 2)
      labels.append(
        Label(typeface.fit(entry.name, into: width, size: size), at: place, .start, size: size, in: typeface))
    }
    box = Rectangle(left: 0, top: 0, right: width, bottom: textSize * 0.4 + Double(rows) * line)
  }

  /// The legend with its top left corner at `place`, where it was at the origin.
  func moved(to place: Position) -> Legend {
    var legend = self
    legend.labels = labels.map { $0.moved(right: place.x.rounded()).moved(down: place.y.rounded()) }
    legend.samples = samples.map {
      ($0.entry, Position($0.start.x + place.x.rounded(), $0.start.y + place.y.rounded()))
    }
    legend.box = Rectangle(
      left: place.x.rounded(), top: place.y.rounded(), right: place.x.rounded() + box.width,
      bottom: place.y.rounded() + box.height)
    return legend
  }

  /// The legend in the first place of the plot where it covers nothing: corners, then along the edges; `nil` if there
  /// is none.
  func placed(in plot: Rectangle, avoiding occupied: Coverage, textSize: Double) -> Legend? {
    let margin = textSize * 0.5
    let places: [(Double, Double)] = [
      (1, 0), (1, 1), (0, 0), (0, 1), (1, 0.5), (0, 0.5), (0.5, 0), (0.5, 1), (0.75, 0), (0.75, 1), (0.25, 0),
      (0.25, 1), (1, 0.25), (1, 0.75), (0, 0.25), (0, 0.75),
    ]
    for (across, down) in places {
      var legend = moved(
        to: Position(
          plot.left + margin + across * (plot.width - 2 * margin - box.width),
          plot.top + margin + down * (plot.height - 2 * margin - box.height)))
      if occupied.count(in: legend.box.grown(by: margin * 0.5)) == 0 {
        legend.isFramed = true
        return legend
      }
    }
    return nil
  }
}

extension Mark {
  /// Whether anything of it can be seen: a line without markers needs two points.
  fileprivate func isDrawn(in panel: Panel) -> Bool {
    guard let series else { return true }
    let shown = zip(series.x, series.y).count {
      Mapping.isShown($0, panel.x.scale) && Mapping.isShown($1, panel.y.scale)
    }
    if case .line = self, series.style.marker == Style.Marker.none { return shown > 1 }
    return shown > 0 || series.x.isEmpty
  }
}
