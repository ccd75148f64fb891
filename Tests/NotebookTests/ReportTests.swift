import Charts
import Foundation
import Notebook
import Script
import Testing

@Suite("reports and images")
struct ReportTests {
  private func page(_ text: String) throws -> (html: String, workshop: Workshop) {
    let page = try Page(text)
    return (page.html, page.workshop)
  }

  @Test("a report holds text, code, output, images and claims in their order, and loads nothing")
  func contents() throws {
    let (html, _) = try page(
      """
      ## # A *test*
      ## - one
      ## - two
      print("3 < 4 & \\"quoted\\"")
      plot([0.9, 0.5, 0.3], title: "Falling", to: "falling.png")
      claim("four is <more>", measured: 4, atLeast: 3, source: "arithmetic", scale: "desk")
      """)
    let parts = [
      "<title>A test</title>", "<h1 id=\"a-test\">A <em>test</em></h1>", "<li>one</li>", "print</span>(", "3 &lt; 4 &amp; &quot;quoted&quot;",
      "src=\"data:image/png;base64,iVBOR", "<h2 id=\"claims\">Claims</h2>", "four is &lt;more&gt;", "arithmetic",
      "reprise run test.reprise",
    ]
    var rest = html[...]
    for part in parts {
      let found = try #require(rest.range(of: part), "\(part)")
      rest = rest[found.upperBound...]
    }
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"))
  }

  @Test("text cannot bring its own HTML, and a script that fails has its error in the report")
  func hostile() throws {
    let (html, _) = try page("## <script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>\nx = [1][4]")
    #expect(!html.contains("<script") && !html.contains("\"javascript:") && !html.contains("<img"))
    #expect(html.contains("The script stopped with an error") && html.contains("[1][4]"))
  }

  @Test("two figures drawn to one file are shown as each was, and later changes of the file change nothing")
  func oneFile() throws {
    let (html, workshop) = try page("plot([1, 2], to: \"a.png\")\nplot([2, 1, 5], to: \"a.png\")")
    let figures = html.components(separatedBy: "base64,").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(figures.count == 2 && figures.first != figures.last)
    let last = try Data(contentsOf: URL(filePath: workshop.folder + "/a.png")).base64EncodedString()
    #expect(figures.last.map(String.init) == last)
  }

  @Test("control characters and marks of direction that a script prints are made visible")
  func controlCharacters() throws {
    let (html, _) = try page("print(\"a\\u{1b}[31mred\\0\\u{7f}\\u{202e}b\\u{9b}c\\r\")\n## \u{1b}[1mtext")
    #expect(html.contains("a␛[31mred␀␡\u{FFFD}b\u{FFFD}c␍"))
    #expect(!html.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F..<0xA0).contains($0.value) })
  }

  @Test("an image tells its script, its line and its runs, and the same script draws the same bytes")
  func origin() throws {
    let script = """
      data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)
      runs = seeds(1...2, s => train(resnet8(classes: 4), data, epochs: 2, batch: 16, seed: s))
      plot(runs, to: "runs.png")
      """
    let workshop = try Workshop()
    try workshop.value(script)
    let path = workshop.folder + "/runs.png"
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let origin = try #require(try Origin(png: bytes))
    #expect(origin.script == "test" && origin.text == script && origin.line == 3)
    #expect(origin.runs == workshop.notebook.runs && origin.runs.count == 2)
    let chart = try Chart(png: bytes)
    let curves = chart.panels.flatMap { $0.marks.compactMap(\.series) }
    #expect(curves.count == 4 && curves.allSatisfy { $0.band != nil })
    #expect(chart.tabSeparated.split(separator: "\n").count == 1 + 4 * 2)
    try workshop.value(script)
    #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == bytes)
  }
}
