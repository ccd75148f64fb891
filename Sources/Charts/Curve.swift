import Foundation

/// A series in pixels.
struct Curve: Sendable {
  let style: ResolvedStyle
  /// Whether the points are joined; else they are hollow markers.
  let isLine: Bool
  /// The line without its gaps. Lines too jagged to be dashed are solid.
  private(set) var paths: [[Position]] = []
  private(set) var rawPaths: [[Position]] = []
  private(set) var bands: [(upper: [Position], lower: [Position])] = []
  private(set) var markers: [Position] = []
  /// The ends of the intervals at points that are not joined.
  private(set) var whiskers: [(low: Position, high: Position)] = []
  /// Where a line ends, if it ends in the plot.
  private(set) var end: Position?
  /// A dashed zigzag is noise.
  private(set) var isJagged = false

  init(
    _ series: Series, isLine: Bool, style: ResolvedStyle, _ projection: Projection, plot: Rectangle, textSize: Double
  ) {
    self.style = style
    self.isLine = isLine
    let count = min(series.x.count, series.y.count)
    let runs = Curve.runs(of: (0..<count).map { projection(series.x[$0], series.y[$0]) })
    if isLine {
      paths = runs.map(Curve.simplified)
      let lengths = paths.map { path in
        zip(path, path.dropFirst()).reduce(0) { $0 + $1.0.distance(to: $1.1) }
      }
      isJagged = lengths.reduce(0, +) > 6 * (plot.width + plot.height)
      markers = Curve.markers(on: runs, index: style.index, textSize: textSize)
      end = runs.last?.last.flatMap { plot.grown(by: 0.5).contains($0) ? $0 : nil }
    } else {
      markers = runs.flatMap { $0 }
    }
    markers.removeAll { !plot.grown(by: 0.5).contains($0) }
    if let raw = series.raw {
      let points = (0..<min(series.x.count, raw.count)).map { projection(series.x[$0], raw[$0]) }
      rawPaths = Curve.runs(of: points).map(Curve.simplified)
    }
    guard let band = series.band else { return }
    let edges = (0..<min(series.x.count, band.low.count, band.high.count)).map { index -> (Position, Position)? in
      guard let upper = projection(series.x[index], band.high[index]),
        let lower = projection(series.x[index], band.low[index])
      else { return nil }
      return (upper, lower)
    }
    if isLine && !projection.isSideways {
      bands = edges.split { $0 == nil }.map { run in (run.map { $0!.0 }, run.map { $0!.1 }) }
    } else {
      whiskers = edges.compactMap { edge in edge.flatMap { plot.clip($0.1, $0.0) } }
    }
  }

  /// The points between gaps.
  private static func runs(of points: [Position?]) -> [[Position]] {
    points.split { $0 == nil }.map { $0.map { $0! } }
  }

  /// The same line with at most four points in each half pixel of width: the first, lowest, highest and last.
  private static func simplified(_ path: [Position]) -> [Position] {
    guard path.count > 2000 else { return path }
    func column(_ position: Position) -> Double { (position.x * 2).rounded(.down) }
    var result: [Position] = []
    var start = 0
    while start < path.count {
      var end = start
      var (lowest, highest) = (start, start)
      while end < path.count && column(path[end]) == column(path[start]) {
        if path[end].y < path[lowest].y { lowest = end }
        if path[end].y > path[highest].y { highest = end }
        end += 1
      }
      for index in Set([start, lowest, highest, end - 1]).sorted() { result.append(path[index]) }
      start = end
    }
    return result
  }

  /// Every point where there is room, else some, at other places than the markers of the neighbouring series.
  private static func markers(on runs: [[Position]], index: Int, textSize: Double) -> [Position] {
    let count = runs.reduce(0) { $0 + $1.count }
    let width = runs.reduce(0) { $0 + abs($1[$1.count - 1].x - $1[0].x) }
    if count < 3 || width / Double(count) >= textSize * 0.9 { return runs.flatMap { $0 } }
    let gap = textSize * 6
    return runs.flatMap { run -> [Position] in
      if run.count == 1 { return run }
      var next = run[0].x + gap * (0.3 + Double(index % 5) * 0.2)
      return run.filter { position in
        guard position.x >= next else { return false }
        next = position.x + gap
        return true
      }
    }
  }

  /// The path cut into dashes; those of no length are dots.
  static func dashes(_ path: [Position], _ dash: Style.Dash, width: Double) -> [[Position]] {
    // Lengths of lines and gaps in line widths. The round ends add one width to each line and take it from the gap.
    let pattern: [Double] =
      switch dash {
      case .solid: []
      case .dashed: [3.2, 2.8]
      case .dashDotted: [4, 2.6, 0, 2.6]
      case .dotted: [0, 2.2]
      }
    guard !pattern.isEmpty, path.count > 1 else { return [path] }
    var result: [[Position]] = []
    var (part, left) = (0, pattern[0] * width)
    var current = [path[0]]
    for (a, b) in zip(path, path.dropFirst()) {
      let length = a.distance(to: b)
      var done = 0.0
      while length - done > left {
        done += left
        let position = Position(a.x + (b.x - a.x) * done / length, a.y + (b.y - a.y) * done / length)
        if part.isMultiple(of: 2) {
          result.append(current + (pattern[part] > 0 ? [position] : []))
          current = []
        } else {
          current = [position]
        }
        part = (part + 1) % pattern.count
        left = pattern[part] * width
      }
      left -= length - done
      if part.isMultiple(of: 2) { current.append(b) }
    }
    if part.isMultiple(of: 2) && !current.isEmpty { result.append(current) }
    return result
  }
}
