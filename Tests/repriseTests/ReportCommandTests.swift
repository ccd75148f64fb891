import Foundation
import Testing

@Suite("reports from the command line")
struct ReportCommandTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-reports-\(UUID().uuidString)")

  private func reprise(_ arguments: String...) throws -> Program.Result {
    try Program.run(arguments: arguments, environment: ["HOME": folder.path], in: folder)
  }

  @Test("a report names no folder of the machine, however the files were named")
  func paths() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("param n = 1\nplot([n, 2], to: \"a.png\")\nx = load(resnet8(), \"none.safetensors\")\nprint(3)".utf8).write(to: folder.appending(path: "a.reprise"))
    let result = try reprise("run", folder.path + "/a.reprise", "--set", "n=4", "--report", folder.path + "/page.html")
    #expect(result.status == 4 || result.status == 3, "\(result.errors)")
    let page = try String(contentsOf: folder.appending(path: "page.html"), encoding: .utf8)
    #expect(page.contains("<td>reprise run a.reprise --set n=4 --report page.html</td>"))
    #expect(page.contains("is 4 here: --set") && page.contains("id=\"not-run\""))
    #expect(!page.contains(folder.lastPathComponent))
  }

  @Test("a report whose folder is missing is told before the script runs")
  func missingFolder() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("print(1)".utf8).write(to: folder.appending(path: "a.reprise"))
    let result = try reprise("run", "a.reprise", "--report", "none/page.html")
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors == "reprise: the report cannot be written: there is no folder none\n")
  }
}
