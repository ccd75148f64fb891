import ArgumentParser
import Charts
import Foundation
import Notebook
import Tensors

private func failure(_ problem: String, hint: String? = nil, status: Int32 = Status.runtime) -> ExitCode {
  Streams.writeError("reprise: \(problem)\n" + (hint.map { "  hint: \($0)\n" } ?? ""))
  return ExitCode(status)
}

private func read(_ path: String) throws -> [UInt8] {
  do throws(TensorError) { return try readFile(path, limit: 1 << 28) } catch {
    throw failure("\(error)", status: Status.missingData)
  }
}

struct Why: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows where a figure comes from: its script, its runs and its data. Needs only the PNG file.")
  @ArgumentParser.Argument(help: "A PNG file that Reprise drew.") var figure: String
  @Flag(help: "Also prints the script.") var script = false
  @Flag(help: "Prints the data of the figure as tab-separated values and nothing else.") var data = false

  func run() throws {
    let bytes = try read(figure)
    do throws(ChartError) {
      let chart = try Chart(png: bytes)
      if data { return Streams.writeOutput(chart.tabSeparated) }
      let origin = try Origin(png: bytes)
      Streams.writeLine(chart.title.isEmpty ? figure : "\(figure): \(chart.title)")
      for panel in chart.panels { Streams.writeLine("  \(panel.summary)") }
      if let redrawn = try Redraw.note(in: bytes) { Streams.writeLine("drawn again \(redrawn)") }
      guard let origin else { return Streams.writeLine("the file does not name its script") }
      Streams.writeLine("drawn by \(origin.script), line \(origin.line)")
      for (name, value) in origin.settings.sorted(by: { $0.key < $1.key }) { Streams.writeLine("  --set \(name)=\(value)") }
      if !origin.runs.isEmpty {
        Streams.writeLine("runs \(origin.runs.joined(separator: ", ")): reprise show \(origin.runs[0])")
      }
      if script { Streams.writeLine("\n" + origin.text) }
    } catch { throw failure("\(figure): \(error)", hint: "only figures drawn by Reprise contain their data") }
  }
}

struct Redraw: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws the data of a figure again with another size, scale or title. Needs only the PNG file.")
  @ArgumentParser.Argument(help: "A PNG file that Reprise drew.") var figure: String
  @Option(help: "Output file. Default: replaces the figure.") var to: String?
  @Option(help: "Width and height in pixels, such as 1600x900.") var size: String?
  @Option(help: "Title of the figure.") var title: String?
  @Option(help: "Line below the title.") var subtitle: String?
  @Flag(help: "Makes the axes of values logarithmic.") var log = false
  @Flag(help: "Makes the axes of values linear.") var linear = false
  @Flag(help: "Makes the axes of positions logarithmic.") var logX = false
  @Flag(help: "Makes the axes of positions linear.") var linearX = false

  func validate() throws {
    if log, linear { throw ValidationError("--log and --linear exclude each other.") }
    if logX, linearX { throw ValidationError("--log-x and --linear-x exclude each other.") }
    if let size, Self.sides(size) == nil {
      throw ValidationError("--size must be like 1600x900, each side 160 to 10000.")
    }
  }

  /// The keyword of the text that tells what became of a picture after its script drew it.
  private static let keyword = "reprise-redraw"

  static func note(in png: [UInt8]) throws(ChartError) -> String? {
    try PNG.texts(in: png).first { $0.keyword == keyword }?.text
  }

  /// What this call changes, in words.
  private var changes: String {
    let changes = [
      title.map { _ in "another title" }, subtitle.map { _ in "another subtitle" }, size.map { "in \($0) pixels" },
      log ? "values on a logarithmic axis" : linear ? "values on a linear axis" : nil,
      logX ? "positions on a logarithmic axis" : linearX ? "positions on a linear axis" : nil,
    ].compactMap { $0 }
    return changes.isEmpty ? "from the same data" : "from the same data: \(changes.joined(separator: ", "))"
  }

  private static func sides(_ text: String) -> (width: Int, height: Int)? {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1], Chart.allowedSides.contains(width),
      Chart.allowedSides.contains(height)
    else { return nil }
    return (width, height)
  }

  func run() throws {
    let bytes = try read(figure)
    do throws(ChartError) {
      var chart = try Chart(png: bytes)
      if let sides = size.flatMap(Self.sides) { (chart.width, chart.height) = sides }
      if let title { chart.title = title }
      if let subtitle { chart.subtitle = subtitle }
      for i in chart.panels.indices {
        if log || linear { chart.panels[i].y.scale = log ? .log : .linear }
        if logX || linearX { chart.panels[i].x.scale = logX ? .log : .linear }
      }
      let kept = try PNG.texts(in: bytes).filter { ![Chart.dataKeyword, Self.keyword].contains($0.keyword) }
      try chart.write(to: to ?? figure, text: kept + [TextChunk(Self.keyword, changes)])
      Streams.writeLine("drew \(to ?? figure)")
      if !chart.note.isEmpty { Streams.writeError("warning: \(chart.note)\n") }
    } catch { throw failure("\(figure): \(error)") }
  }
}
