/// What a series looks like, with nothing left to choose.
package struct ResolvedStyle: Hashable, Sendable {
  let index: Int
  package let color: Color
  let dash: Style.Dash
  package let marker: Style.Marker
  package let isSolid: Bool

  /// - Parameters:
  ///   - index: The place of the name among those of the chart.
  ///   - isFilled: Whether the chart has areas.
  ///   - sibling: How many names before this one have the style of the same other name.
  init(index: Int, _ mark: Mark, isFilled: Bool, sibling: Int) {
    let style = mark.identity?.style ?? Style()
    let automatic = Style.automatic(index, isFilled: isFilled)
    let count = Palette.colors.count
    let place = ((style.color ?? automatic.color) % count + count) % count
    self.index = index
    color = mark.isArea && !Palette.fills.contains(place) ? Palette.greyFill : Palette.colors[place]
    dash = style.dash ?? automatic.dash
    marker = style.marker ?? ResolvedStyle.marker(automatic.marker, after: sibling)
    if case .dots = mark { isSolid = style.isSolid ?? true } else { isSolid = style.isSolid ?? false }
  }

  /// Markers that can be hollow, for names that share a colour.
  private static let outlined: [Style.Marker] = [.circle, .square, .triangle, .diamond, .downTriangle]

  private static func marker(_ marker: Style.Marker, after siblings: Int) -> Style.Marker {
    guard siblings > 0, let place = outlined.firstIndex(of: marker) else { return marker }
    return outlined[(place + 3 * siblings) % outlined.count]
  }

  /// The style of every mark of every panel. One name has one style in all panels, and names that share a panel differ.
  package static func all(of chart: Chart) -> [[ResolvedStyle]] {
    let isFilled = chart.panels.contains { $0.marks.contains { $0.isArea || $0.series?.band != nil } }
    let keys = chart.panels.map { panel in
      var unnamed = 0
      return panel.marks.map { mark -> String? in
        guard let identity = mark.identity else { return nil }
        if let like = identity.style.like { return like }
        guard identity.name.isEmpty else { return identity.name }
        unnamed += 1
        return "\0\(unnamed)"  // no name of a series looks like this by chance
      }
    }
    var companions: [String: Set<String>] = [:]
    for panel in keys {
      let names = Set(panel.compactMap { $0 })
      for name in names { companions[name, default: []].formUnion(names) }
    }
    var places: [String: Int] = [:]
    for name in keys.joined().compactMap({ $0 }) where places[name] == nil {
      let taken = Set(companions[name, default: []].compactMap { places[$0] })
      places[name] = (0...taken.count).first { !taken.contains($0) }
    }
    var siblings: [String: [String]] = [:]
    for identity in chart.panels.flatMap(\.marks).compactMap(\.identity) {
      guard let like = identity.style.like, !siblings[like, default: []].contains(identity.name) else { continue }
      siblings[like, default: []].append(identity.name)
    }
    return zip(chart.panels, keys).map { panel, keys in
      zip(panel.marks, keys).map { mark, key in
        let sibling = mark.identity.flatMap { identity in
          identity.style.like.flatMap { siblings[$0]?.firstIndex(of: identity.name) }
        }
        return ResolvedStyle(
          index: key.flatMap { places[$0] } ?? 0, mark, isFilled: isFilled, sibling: sibling ?? 0)
      }
    }
  }
}
