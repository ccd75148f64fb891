import Foundation

extension Style.Marker {
  /// Draws the marker; a hollow one is white inside.
  func draw(
    at centre: Position, radius: Double, hollow: Bool, _ color: Color, lineWidth: Double, on canvas: borrowing Canvas
  ) {
    let area = Rectangle(left: centre.x, top: centre.y, right: centre.x, bottom: centre.y).grown(by: radius * 2 + 2)
    var (body, outline) = (Coverage(over: area), Coverage(over: area))
    func corners(_ places: [(Double, Double)]) -> [Position] {
      places.map { Position(centre.x + $0.0 * radius, centre.y + $0.1 * radius) }
    }
    let stroke = lineWidth * 0.75
    // Sizes are chosen so that all look equally large.
    let shape: [Position] =
      switch self {
      case .circle, .none: []
      case .square: corners([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
      case .triangle: corners([(0, -1.25), (1.15, 0.85), (-1.15, 0.85)])
      case .downTriangle: corners([(0, 1.25), (1.15, -0.85), (-1.15, -0.85)])
      case .diamond: corners([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)])
      case .cross: []
      case .plus: []
      }
    switch self {
    case .none: return
    case .circle:
      if hollow {
        let ring = (0...32).map { step in
          let angle = Double(step) / 16 * Double.pi
          return Position(centre.x + radius * cos(angle), centre.y + radius * sin(angle))
        }
        outline.stroke(ring, width: stroke)
      }
      body.fill(around: centre, radius: radius)
    case .cross, .plus:
      let reach = self == .cross ? 1.0 : 1.3
      let ends: [(Double, Double)] =
        self == .cross
        ? [(-reach, -reach), (reach, reach), (-reach, reach), (reach, -reach)]
        : [(-reach, 0), (reach, 0), (0, -reach), (0, reach)]
      let places = corners(ends)
      outline.stroke(Array(places[0...1]), width: stroke)
      outline.stroke(Array(places[2...3]), width: stroke)
      canvas.paint(outline, color)
      return
    default:
      body.fill(shape)
      if hollow { outline.stroke(shape + [shape[0]], width: stroke) }
    }
    canvas.paint(body, hollow ? Palette.paper : color)
    canvas.paint(outline, color)
  }
}
