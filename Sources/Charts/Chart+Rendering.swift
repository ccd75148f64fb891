extension Chart {
  /// Draws the chart.
  ///
  /// Same chart, typeface and text, same bytes. The chart itself goes into the picture as the text chunk
  /// ``dataKeyword``.
  ///
  /// - Parameter text: More text chunks, for example the script and the runs that the data come from.
  /// - Returns: A PNG file.
  public func render(typeface: Typeface = .standard, text: [TextChunk] = []) throws(ChartError) -> [UInt8] {
    let layout = try Layout(self, in: typeface)
    // Twice the 72 dots of a point, so that the text has its size in print.
    let canvas = try Canvas(width: width, height: height, dotsPerInch: 144)
    for panel in layout.panels { panel.draw(on: canvas) }
    for grid in layout.grids { grid.draw(on: canvas) }
    layout.legend?.draw(on: canvas, lineWidth: max(1.4, layout.textSize * 0.135))
    for label in layout.labels { canvas.draw(label, in: typeface) }
    return try PNG.adding([TextChunk(Chart.dataKeyword, json)] + text, to: try canvas.png())
  }
}

extension PanelLayout {
  fileprivate func draw(on canvas: borrowing Canvas) {
    if let cells {
      for cell in cells.cells { canvas.fill(cell.box, cell.color) }
    } else {
      drawGrid(on: canvas)
    }
    drawBins(on: canvas)
    drawBars(on: canvas)
    for curve in curves {
      var mask = Coverage(over: plot)
      for band in curve.bands {
        mask.fill(between: band.upper, and: band.lower)
        // One value alone has no area: its spread is a bar.
        if band.upper.count == 1 { mask.stroke([band.upper[0], band.lower[0]], width: lineWidth * 2) }
      }
      canvas.paint(mask, curve.style.color, opacity: 0.18)
      var faint = Coverage(over: plot)
      for path in curve.rawPaths { faint.stroke(path, width: max(1, lineWidth * 0.6)) }
      canvas.paint(faint, curve.style.color, opacity: 0.32)
    }
    var rules = Coverage(over: plot)
    let thin = max(1.2, lineWidth * 0.6)
    for place in references {
      // In the middle of a row or column of pixels, so that it is sharp.
      let line = rule(at: place + 0.5)
      for dash in Curve.dashes(line, .dashed, width: thin * 1.3) { rules.stroke(dash, width: thin) }
    }
    canvas.paint(rules, Palette.secondaryInk)
    for curve in curves {
      // Half of a line at the edge may lie outside the plot.
      var mask = Coverage(over: plot.grown(by: lineWidth))
      for path in curve.paths {
        // What an explicit range cuts off ends at the edge.
        let dashes = curve.isJagged ? [path] : Curve.dashes(path, curve.style.dash, width: lineWidth)
        for dash in dashes { mask.stroke(dash, width: lineWidth) }
      }
      canvas.paint(mask, curve.style.color)
    }
    for leader in leaders {
      let area = Rectangle(
        left: leader.path.map(\.x).min() ?? 0, top: leader.path.map(\.y).min() ?? 0,
        right: leader.path.map(\.x).max() ?? 0, bottom: leader.path.map(\.y).max() ?? 0)
      var mask = Coverage(over: area.grown(by: lineWidth * 2))
      mask.stroke(leader.path, width: max(1, lineWidth * 0.5))
      canvas.paint(mask, leader.style.color, opacity: 0.75)
    }
    for curve in curves {
      for whisker in curve.whiskers { draw(whisker.low, whisker.high, curve.style.color, on: canvas) }
      for marker in curve.markers {
        curve.style.marker.draw(
          at: marker, radius: lineWidth * (curve.isLine ? 1.7 : 2.2), hollow: !curve.isLine && !curve.style.isSolid,
          curve.style.color,
          lineWidth: lineWidth, on: canvas)
      }
    }
    drawAxes(on: canvas)
    drawKey(on: canvas)
    for label in labels[overlays] { canvas.fill(label.box.grown(by: 1), Palette.paper, opacity: 0.8) }
    legend?.draw(on: canvas, lineWidth: lineWidth)
  }

  private func drawBins(on canvas: borrowing Canvas) {
    for histogram in bins {
      for box in histogram.boxes { canvas.fill(box, histogram.color, opacity: 0.3) }
    }
    for histogram in bins {
      var mask = Coverage(over: plot.grown(by: lineWidth))
      let width = max(1.2, lineWidth * 0.7)
      // One alone needs no dashes to be told from others.
      for dash in Curve.dashes(histogram.outline, bins.count > 1 ? histogram.dash : .solid, width: width) {
        mask.stroke(dash, width: width)
      }
      canvas.paint(mask, histogram.color)
    }
  }

  private func drawBars(on canvas: borrowing Canvas) {
    for bar in bars.bars where !bar.isDot { canvas.fill(bar.box, bar.style.color) }
    for bar in bars.bars {
      guard let whisker = bar.whisker else { continue }
      let color = bar.isDot ? bar.style.color : Palette.ink
      draw(whisker.low, whisker.high, color, hasHalo: !bar.isDot, on: canvas)
    }
    for bar in bars.bars where bar.isDot {
      bar.style.marker.draw(
        at: bar.end, radius: bar.box.width / 2, hollow: !bar.style.isSolid, bar.style.color, lineWidth: lineWidth,
        on: canvas)
    }
    guard bars.bars.contains(where: { $0.value < 0 && !$0.isDot }) else { return }
    if isSideways {
      vertical(0, plot.top, plot.bottom, Palette.axis, canvas)
    } else {
      horizontal(0, plot.left, plot.right, Palette.axis, canvas)
    }
  }

  /// An interval, with a cap at each end.
  ///
  /// - Parameter hasHalo: White around it keeps it in sight on a dark bar.
  private func draw(
    _ low: Position, _ high: Position, _ color: Color, hasHalo: Bool = false, on canvas: borrowing Canvas
  ) {
    let width = max(1.2, lineWidth * 0.6)
    let cap = textSize * 0.22
    let (dx, dy) = isSideways ? (0, cap) : (cap, 0)
    func across(_ end: Position) -> [Position] { [Position(end.x - dx, end.y - dy), Position(end.x + dx, end.y + dy)] }
    let lines = [[low, high], across(low), across(high)]
    if hasHalo {
      var halo = Coverage(over: plot)
      for line in lines { halo.stroke(line, width: width + 2) }
      canvas.paint(halo, Palette.paper, opacity: 0.7)
    }
    var mask = Coverage(over: plot.grown(by: cap))
    for line in lines { mask.stroke(line, width: width) }
    canvas.paint(mask, color)
  }

  private func drawKey(on canvas: borrowing Canvas) {
    guard let key else { return }
    let strip = key.strip
    let (top, bottom) = (Int(strip.top.rounded()), Int(strip.bottom.rounded()))
    for row in top..<max(top, bottom) {
      let share = 1 - (Double(row - top) + 0.5) / Double(bottom - top)
      canvas.fill(
        Rectangle(left: strip.left, top: Double(row), right: strip.right, bottom: Double(row + 1)),
        ColorScale.color(share))
    }
    for mark in key.marks {
      let height = mark.rounded()
      canvas.fill(
        Rectangle(
          left: strip.right, top: height, right: strip.right + textSize * 0.32,
          bottom: height + max(1, (textSize / 16).rounded())), Palette.axis)
    }
  }

  private func drawGrid(on canvas: borrowing Canvas) {
    let columns = hasNames.x ? [] : xTicks.major
    let rows = hasNames.y ? [] : yTicks.major
    let grid = [(Palette.faintGrid, xTicks.minor, yTicks.minor), (Palette.grid, columns, rows)]
    for (color, columns, rows) in grid {
      // Minor lines help to read a logarithmic axis; on an even one they are noise.
      for tick in columns where color == Palette.grid || x.scale == .log {
        vertical(tick, plot.top, plot.bottom, color, canvas)
      }
      for tick in rows where color == Palette.grid || y.scale == .log {
        horizontal(tick, plot.left, plot.right, color, canvas)
      }
    }
    // A faint line leads from a name to its dots.
    guard bars.bars.contains(where: \.isDot) else { return }
    if hasNames.x { for tick in xTicks.major { vertical(tick, plot.top, plot.bottom, Palette.faintGrid, canvas) } }
    if hasNames.y { for tick in yTicks.major { horizontal(tick, plot.left, plot.right, Palette.faintGrid, canvas) } }
  }

  private func drawAxes(on canvas: borrowing Canvas) {
    // Cells are their own axes.
    guard cells == nil else { return }
    let length = textSize * 0.32
    let thickness = max(1, (textSize / 16).rounded())
    canvas.fill(
      Rectangle(left: plot.left, top: plot.top, right: plot.left + thickness, bottom: plot.bottom + thickness),
      Palette.axis)
    canvas.fill(
      Rectangle(left: plot.left, top: plot.bottom, right: plot.right, bottom: plot.bottom + thickness), Palette.axis)
    for (ticks, share) in [(hasNames.x ? [] : xTicks.major, 1.0), (xTicks.minor, 0.55)] {
      for tick in ticks { vertical(tick, plot.bottom, plot.bottom + length * share, Palette.axis, canvas) }
    }
    for (ticks, share) in [(hasNames.y ? [] : yTicks.major, 1.0), (yTicks.minor, 0.55)] {
      for tick in ticks { horizontal(tick, plot.left - length * share, plot.left, Palette.axis, canvas) }
    }
  }

  private func vertical(_ tick: Double, _ top: Double, _ bottom: Double, _ color: Color, _ canvas: borrowing Canvas) {
    guard let place = x(tick)?.rounded() else { return }
    canvas.fill(
      Rectangle(left: place, top: top, right: place + max(1, (textSize / 16).rounded()), bottom: bottom), color)
  }

  private func horizontal(_ tick: Double, _ left: Double, _ right: Double, _ color: Color, _ canvas: borrowing Canvas) {
    guard let place = y(tick)?.rounded() else { return }
    canvas.fill(
      Rectangle(left: left, top: place, right: right, bottom: place + max(1, (textSize / 16).rounded())), color)
  }
}

extension GridLayout {
  fileprivate func draw(on canvas: borrowing Canvas) {
    for place in places {
      switch place.tile.verdict {
      case nil: canvas.fill(place.box.grown(by: 1), Palette.frame)
      case .right:
        canvas.fill(place.box.grown(by: (frameWidth * 0.5).rounded()), Palette.right)
      case .wrong: canvas.fill(place.box.grown(by: frameWidth), Palette.wrong)
      }
      canvas.draw(place.tile, in: place.box)
    }
  }
}

extension Legend {
  fileprivate func draw(on canvas: borrowing Canvas, lineWidth: Double) {
    if isFramed {
      let edge = max(1, (lineWidth / 2).rounded())
      canvas.fill(box, Palette.frame, opacity: 0.8)
      canvas.fill(box.grown(by: -edge), Palette.paper)
    }
    for (entry, start) in samples {
      let end = Position(start.x + sampleWidth, start.y)
      let middle = Position(start.x + sampleWidth / 2, start.y)
      var mask = Coverage(
        over: Rectangle(left: start.x, top: start.y, right: end.x, bottom: end.y).grown(by: lineWidth * 2))
      let line = [Position(start.x + lineWidth / 2, start.y), Position(end.x - lineWidth / 2, end.y)]
      if entry.sample == .area {
        let reach = sampleWidth * 0.22
        canvas.fill(
          Rectangle(left: middle.x - reach, top: middle.y - reach, right: middle.x + reach, bottom: middle.y + reach),
          entry.style?.color ?? Palette.ink)
        continue
      }
      if entry.sample == .line {
        let width = entry.style == nil ? max(1.2, lineWidth * 0.6) : lineWidth
        for dash in Curve.dashes(line, entry.style?.dash ?? .dashed, width: width) { mask.stroke(dash, width: width) }
      }
      canvas.paint(mask, entry.style?.color ?? Palette.secondaryInk)
      entry.style?.marker.draw(
        at: middle, radius: lineWidth * (entry.sample == .line ? 1.7 : 2.2), hollow: entry.sample == .points && entry.style?.isSolid != true,
        entry.style?.color ?? Palette.ink, lineWidth: lineWidth, on: canvas)
    }
  }
}
