import Foundation
import Notebook
import Script
import Testing

@Suite("README and docs/")
struct DocumentTests {
  /// The pages that people write; the reference is made from declarations, and its examples are run elsewhere.
  static let pages =
    ["README.md", "CONTRIBUTING.md"]
    + (try! FileManager.default.subpathsOfDirectory(atPath: packageFolder.appending(path: "docs").path))
    .filter { $0.hasSuffix(".md") && $0 != "reference.md" }.sorted().map { "docs/\($0)" }

  private func text(of page: String) throws -> String {
    try String(contentsOf: packageFolder.appending(path: page), encoding: .utf8)
  }

  /// The lines of a page that are scripts, each where it stands in the page; all others are empty.
  private func script(of page: String) throws -> String {
    var isScript = false
    return try text(of: page).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("```") {
        isScript = line == "```reprise"
        return ""
      }
      return isScript ? String(line) : ""
    }.joined(separator: "\n")
  }

  @Test("the scripts of each page pass the check, taken together", arguments: pages)
  func scripts(_ page: String) throws {
    let mistakes = try Workshop().session.check(Source(try script(of: page), name: page))
    #expect(mistakes.isEmpty, "\(mistakes.map { DiagnosticRenderer().render($0) }.joined(separator: "\n"))")
  }

  @Test("the scripts of the guide are there to be checked")
  func guide() throws {
    let chapters = Self.pages.filter { $0.hasPrefix("docs/guide/") && $0 != "docs/guide/machines.md" }
    #expect(chapters.count >= 9)
    for page in chapters { #expect(try script(of: page).contains { !$0.isNewline }, "\(page)") }
  }

  @Test("what README's table sets beside PyTorch passes the check")
  func comparison() throws {
    let rows = try text(of: "README.md").split(separator: "\n").filter { $0.hasPrefix("| ") && $0.hasSuffix("` |") }
    let calls = rows.flatMap { row -> [String] in
      let cell = row.dropLast(2).split(separator: " | ").last.map(String.init) ?? ""
      // Code stands in every second piece between backquotes.
      return cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
        .map { String($0.element) }.filter { $0.contains("(") }
    }
    #expect(calls.count >= 25)
    let prelude = "data = synthetic(10)\nnet = resnet8(data)\nrun = train(net, data)\nbig = train(resnet20(data), data)\n"
    let mistakes = try Workshop().session.check(
      Source(prelude + calls.joined(separator: "\n"), name: "README.md's table"))
    #expect(mistakes.isEmpty, "\(mistakes.map { DiagnosticRenderer().render($0) }.joined(separator: "\n"))")
  }

  @Test("each link of a page leads to a file that exists, and to a heading that exists", arguments: pages)
  func links(_ page: String) throws {
    let folder = packageFolder.appending(path: page).deletingLastPathComponent()
    for match in try text(of: page).matches(of: #/\]\(([^)\s]+)\)/#) {
      let target = match.output.1
      if target.hasPrefix("http") { continue }
      let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let file = parts[0].isEmpty ? packageFolder.appending(path: page) : folder.appending(path: parts[0])
      #expect(FileManager.default.fileExists(atPath: file.path), "\(page): \(target)")
      guard parts.count == 2, file.pathExtension == "md" else { continue }
      let headings = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("#") }
      #expect(headings.contains { anchor(of: $0) == parts[1] }, "\(page): \(target)")
    }
  }

  /// A heading's anchor as GitHub makes it.
  private func anchor(of heading: Substring) -> String {
    String(
      heading.drop(while: { $0 == "#" }).drop(while: { $0 == " " }).lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
        .map { $0 == " " ? "-" : $0 })
  }
}
