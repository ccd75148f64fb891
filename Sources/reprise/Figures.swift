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
    abstract: "Draws the data of a figure again in another size or scale. Needs only the PNG file.")
  @ArgumentParser.Argument(help: "A PNG file that Reprise drew.") var figure: String
  @Option(help: "Output file. Default: replaces the figure.") var to: String?
  @Option(help: "Width and height in pixels, such as 1600x900.") var size: String?
  @Flag(help: "Makes the vertical axes logarithmic.") var log = false
  @Flag(help: "Makes the vertical axes linear.") var linear = false

  func validate() throws {
    if log, linear { throw ValidationError("--log and --linear exclude each other.") }
    if let size, Self.sides(size) == nil {
      throw ValidationError("--size must be like 1600x900, each side 160 to 10000.")
    }
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
      if log || linear { for i in chart.panels.indices { chart.panels[i].y.scale = log ? .log : .linear } }
      let texts = try PNG.texts(in: bytes).filter { $0.keyword != Chart.dataKeyword }
      try chart.write(to: to ?? figure, text: texts)
      Streams.writeLine("drew \(to ?? figure)")
      if !chart.note.isEmpty { Streams.writeError("warning: \(chart.note)\n") }
    } catch { throw failure("\(figure): \(error)") }
  }
}
