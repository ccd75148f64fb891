/// From a place and a value to pixels: values go up, or to the right in a panel that lies on its side.
struct Projection: Sendable {
  let places, values: Mapping
  let isSideways: Bool

  init(x: Mapping, y: Mapping, isSideways: Bool) {
    (places, values) = isSideways ? (y, x) : (x, y)
    self.isSideways = isSideways
  }

  /// `nil` for what an axis cannot show.
  func callAsFunction(_ place: Double, _ value: Double) -> Position? {
    guard let place = places(place), let value = values(value) else { return nil }
    return position(place, value)
  }

  /// - Parameters: Pixels along either axis.
  func position(_ place: Double, _ value: Double) -> Position {
    isSideways ? Position(value, place) : Position(place, value)
  }

  /// The rectangle between two places and two values. Pixels along either axis.
  func rectangle(places: (Double, Double), values: (Double, Double)) -> Rectangle {
    let (a, b) = (position(places.0, values.0), position(places.1, values.1))
    return Rectangle(left: min(a.x, b.x), top: min(a.y, b.y), right: max(a.x, b.x), bottom: max(a.y, b.y))
  }
}
