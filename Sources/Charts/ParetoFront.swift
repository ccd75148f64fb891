/// Which of two values of an axis is better.
public enum Preference: String, Hashable, Sendable, Codable { case less, more }

extension Series {
  /// The points that no other point beats: none is at least as good in both directions and better in one.
  ///
  /// - Returns: Their series, x rising, to be drawn as a line; points that are not finite are left out.
  public static func front(
    of series: [Series], better x: Preference, _ y: Preference, name: String = "Pareto front"
  ) -> Series {
    let (signX, signY) = (x == .more ? -1.0 : 1, y == .more ? -1.0 : 1)
    // Smaller is better from here on.
    let points = series.flatMap { Array(zip($0.x, $0.y)) }.filter { $0.0.isFinite && $0.1.isFinite }
      .map { (x: $0.0 * signX, y: $0.1 * signY) }
      .sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    var front: [(x: Double, y: Double)] = []
    for point in points where point.y < front.last?.y ?? .infinity { front.append(point) }
    if signX < 0 { front.reverse() }
    return Series(
      name, x: front.map { $0.x * signX }, y: front.map { $0.y * signY },
      style: Style(color: 3, dash: .dashed, marker: Style.Marker.none))
  }
}
