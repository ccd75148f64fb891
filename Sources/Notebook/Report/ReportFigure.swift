internal import Charts
internal import Foundation

/// A picture as a page shows it, with the bytes it had when it was drawn.
struct ReportFigure {
  let name: String
  let bytes: [UInt8]

  var html: String {
    let size = PNGSize(bytes).map { " width=\"\($0.width)\" height=\"\($0.height)\"" } ?? ""
    return """
      <figure><img alt="\(HTML.escaped(text))"\(size) src="data:image/png;base64,\(Data(bytes).base64EncodedString())">
      <figcaption>\(HTML.escaped(name))</figcaption></figure>
      """
  }

  /// What it shows, for those who do not see it: the chart's title and what is drawn over what.
  private var text: String {
    guard let chart = try? Chart(png: bytes) else { return name }
    let drawn = chart.panels.map { $0.title.isEmpty ? $0.summary : "\($0.title): \($0.summary)" }.joined(separator: "; ")
    return [chart.title, chart.subtitle, drawn].filter { !$0.isEmpty }.joined(separator: ". ")
  }
}

/// The pixels that a PNG file says it has.
struct PNGSize {
  let width, height: Int

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 24, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
    func number(_ start: Int) -> Int { bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) } }
    (width, height) = (number(16), number(20))
  }
}
