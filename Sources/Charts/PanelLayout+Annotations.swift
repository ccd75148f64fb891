extension PanelLayout {
  /// The label beside its line, where it covers least; `nil` if every place meets another such label.
  func referenceLabel(
    _ text: String, at place: Double, avoiding occupied: Coverage, after first: Int, _ typeface: Typeface
  ) -> Label? {
    let size = textSize * 0.85
    let text = typeface.fit(text, into: plot.width * 0.6, size: size)
    let (ascent, descent) = typeface.extent(size: size)
    let width = typeface.width(of: text, size: size)
    let margin = textSize * 0.45
    var places: [Position] = []
    for share in [1, 0, 0.5, 0.75, 0.25] {
      if isSideways {
        let top = plot.top + margin + ascent + share * (plot.height - 2 * margin - ascent - descent)
        places += [Position(place + textSize * 0.35, top), Position(place - textSize * 0.3 - width, top)]
      } else {
        let left = plot.left + margin + share * (plot.width - 2 * margin - width)
        places += [
          Position(left, place - descent - 1.5 - textSize * 0.12), Position(left, place + ascent + 2.5 + textSize * 0.12),
        ]
      }
    }
    var best: (label: Label, covered: Int)?
    for position in places {
      let label = Label(text, at: position, .start, size: size, color: Palette.secondaryInk, in: typeface)
      guard plot.contains(label.box), !labels[first...].contains(where: { $0.box.overlaps(label.box.grown(by: 1)) })
      else { continue }
      // With some air; that the line itself is then counted is the same for all places.
      let covered = occupied.count(in: label.box.grown(by: textSize * 0.25))
      if covered < best?.covered ?? .max { best = (label, covered) }
    }
    return best?.label
  }

  /// What single points are called, beside them; left out where that would cover something.
  func pointLabels(of panel: Panel, avoiding occupied: Coverage, _ typeface: Typeface) -> [Label] {
    let size = textSize * 0.82
    let (ascent, descent) = typeface.extent(size: size)
    let projection = Projection(x: x, y: y, isSideways: isSideways)
    let reach = lineWidth * 2.2 + textSize * 0.25
    var taken = labels.map(\.box)
    var result: [Label] = []
    for series in panel.marks.compactMap(\.series) {
      for (index, text) in (series.labels ?? []).prefix(300).enumerated() {
        guard index < min(series.x.count, series.y.count),
          let centre = projection(series.x[index], series.y[index]), plot.grown(by: 0.5).contains(centre)
        else { continue }
        let (column, row) = (centre.x, centre.y)
        let text = typeface.fit(text, into: plot.width * 0.4, size: size)
        let drop = (ascent - descent) / 2
        let places: [(Position, Label.Anchor)] = [
          (Position(column + reach, row + drop), .start), (Position(column, row - reach - descent), .middle),
          (Position(column, row + reach + ascent), .middle), (Position(column - reach, row + drop), .end),
          (Position(column + reach * 0.7, row - reach * 0.7 - descent), .start),
          (Position(column + reach * 0.7, row + reach * 0.7 + ascent), .start),
          (Position(column - reach * 0.7, row - reach * 0.7 - descent), .end),
          (Position(column - reach * 0.7, row + reach * 0.7 + ascent), .end),
        ]
        // Measured once, then moved about.
        let centred = Label(
          text, at: Position(column, row), .middle, size: size, color: Palette.secondaryInk, in: typeface)
        let half = centred.box.width / 2
        var best: (label: Label, covered: Int)?
        for (place, anchor) in places where !text.isEmpty {
          let aside = anchor == .start ? half : anchor == .end ? -half : 0
          let label = centred.moved(right: place.x - column + aside).moved(down: place.y - row)
          guard plot.contains(label.box), !taken.contains(where: { $0.overlaps(label.box.grown(by: 1)) })
          else { continue }
          let covered = occupied.count(in: label.box)
          if covered < best?.covered ?? .max { best = (label, covered) }
        }
        guard let best, best.covered < Int(best.label.box.width * best.label.box.height * 0.3) else { continue }
        result.append(best.label)
        taken.append(best.label.box)
      }
    }
    return result
  }

  /// All pixels of the plot that marks touch, and those of some labels.
  func occupation(with labels: ArraySlice<Label> = []) -> Coverage {
    var mask = Coverage(over: plot)
    for curve in curves {
      for path in curve.paths { mask.stroke(path, width: lineWidth) }
      for path in curve.rawPaths { mask.stroke(path, width: 1) }
      for band in curve.bands { mask.fill(between: band.upper, and: band.lower) }
      for whisker in curve.whiskers { mask.stroke([whisker.low, whisker.high], width: textSize * 0.4) }
      for marker in curve.markers { mask.fill(around: marker, radius: lineWidth * 2.4) }
    }
    for bar in bars.bars {
      mask.cover(bar.box)
      if let whisker = bar.whisker { mask.stroke([whisker.low, whisker.high], width: textSize * 0.4) }
    }
    for label in bars.labels { mask.cover(label.box) }
    for histogram in bins {
      for box in histogram.boxes { mask.cover(box) }
    }
    for place in references { mask.stroke(rule(at: place), width: 1) }
    for label in labels { mask.cover(label.box) }
    return mask
  }

  /// The line across the plot at a value.
  func rule(at place: Double) -> [Position] {
    isSideways
      ? [Position(place, plot.top), Position(place, plot.bottom)]
      : [Position(plot.left, place), Position(plot.right, place)]
  }
}
