extension ChartError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .size(let width, let height):
      "a figure of \(width) x \(height) pixels cannot be drawn: each side takes "
        + "\(Chart.allowedSides.lowerBound) to \(Chart.allowedSides.upperBound) pixels, "
        + "the whole at most \(Chart.allowedArea / 1_000_000) million"
    case .crowded(let panels, let width, let height):
      "\(panels) panel\(panels == 1 ? "" : "s") do\(panels == 1 ? "es" : "") not fit into \(width) x \(height) pixels"
    case .tooMuch(let content, let count, let limit):
      "\(count) \(content.rawValue) are too many for one chart: the limit is \(limit)"
    case .drawing(let call): "\(call) of libgd failed: too little memory?"
    case .textChunk(let keyword): "'\(keyword)' cannot be stored as text in a PNG file"
    case .notPNG(let offset): "the PNG file is damaged at byte \(offset)"
    case .noChart: "the file contains no chart data that can be read"
    case .unwritable(let error): "cannot write \(error)"
    }
  }
}
