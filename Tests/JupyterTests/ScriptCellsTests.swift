import Foundation
import Jupyter
import Testing

/// The folder of this package.
private let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

@Suite("Scripts and notebooks")
struct ScriptCellsTests {
  private func back(_ script: String) throws -> String {
    try NotebookFile.cells(NotebookFile.bytes(ScriptCells(script: script)), path: "a.ipynb").script
  }

  @Test("a script comes back from a notebook byte for byte", arguments: [
    "", "\n", "\n\n\n", "x = 1", "x = 1\n", "\n\nx = 1\n\n\n", "## text\n", "## text\nx = 1\n\n## more\n##\n## end", "##text\n",
    "x = 1\n\n\n\n## a\n\n\n## b\ny = 2\n\n", "# %%\nx = 1\n", "x = 1\n# %%\n", "# %%", "# %%\n# %%\n# %%\n", "# %% a title\nx\n# %% [markdown]\n## text\n##\n",
    "# %% [markdown]\nno text\n", "# %%  {\"b\": 1,\"a\": 2}\nx", "# %% {\"tags\":[\"parameters\"]}\nx = 1\n\n# %%\n\n", "#%% no mark\nx",
    "# %%x\n", "a\r\nb\r\n", "ä = \"😀\"\n", "# %% [markdown]\n\n## a\n\n", "# %% {broken\nx",
    "## a\n##", "## a\n##\nx", "##\n##\n", "# %% [markdown]\n", "# %% [markdown]\n\n", "# %% [markdown]\n## a\n##\n", "# %% {}", "# %% \n",
    "# %%\r\nx = 1\r\n# %% b\r\ny\r\n", "## \u{301}a\n",
  ])
  func roundTrip(_ script: String) throws { #expect(try back(script) == script) }

  @Test("so do all that are shipped")
  func shipped() throws {
    for folder in ["examples", "Recipes"] {
      let files = FileManager.default.enumerator(atPath: packageFolder.appending(path: folder).path)?.compactMap { $0 as? String } ?? []
      for file in files where file.hasSuffix(".reprise") {
        let text = try String(contentsOf: packageFolder.appending(path: "\(folder)/\(file)"), encoding: .utf8)
        #expect(try back(text) == text, "\(file)")
        #expect(ScriptCells(script: text).cells.contains { $0.isMarkdown }, "\(file)")
      }
    }
  }

  @Test("a notebook's cells come back from a script")
  func notebook() throws {
    let cells = ScriptCells([
      .init(isMarkdown: true, text: "# A title\n\nand text"), .init(isMarkdown: false, text: "x = 1"),
      .init(isMarkdown: false, text: "", metadata: ["tags": ["parameters"]]),
      .init(isMarkdown: false, text: "y = 2\n", metadata: ["title": "named", "id": "abc"]),
      .init(isMarkdown: true, text: ""), .init(isMarkdown: true, text: "a\n\n"),
    ])
    #expect(ScriptCells(script: cells.script) == cells)
    #expect(try NotebookFile.cells(NotebookFile.bytes(cells), path: "") == cells)
  }

  @Test("lines that end as Windows ends them are lines")
  func windows() {
    #expect(ScriptCells(script: "# %%\r\nx = 1\r\n# %% b\r\ny\r\n").cells.map(\.text) == ["x = 1\r", "y\r\n"])
  }

  @Test("what a notebook says of a cell comes back, whatever it is", arguments: [
    "a", "", " a ", "[markdown] a", "{\"a\": 1}", "a\nx = 666", "a\rb", "\u{2028}", "ä",
  ])
  func title(_ title: String) throws {
    for isMarkdown in [false, true] {
      let cells = ScriptCells([.init(isMarkdown: isMarkdown, text: "1", metadata: ["title": .string(title)])])
      let read = ScriptCells(script: cells.script).cells
      #expect(read.count == 1 && read.first?.metadata["title"] == .string(title) && read.first?.isMarkdown == isMarkdown)
      #expect(read.first?.text == "1")
    }
  }

  @Test("what is no notebook, or has no place in a script, is refused in words", arguments: [
    ("", "JSON"), ("{}", "format 4"), ("{\"nbformat\": 3, \"worksheets\": []}", "format 4"),
    ("{\"nbformat\": 4, \"cells\": [{}]}", "cell 1"),
    ("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"raw\", \"source\": \"\"}]}", "raw"),
    ("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": [1]}]}", "cell 1"),
    ("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"x\\n# %% y\"}]}", "# %%"),
    ("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"markdown\", \"source\": \"\", \"attachments\": {\"a\": {}}}]}", "attached"),
  ])
  func refused(_ text: String, _ word: String) throws {
    let error = try #require(throws: JupyterError.self) { try NotebookFile.cells(Array(text.utf8), path: "a.ipynb") }
    #expect(error.description.contains(word), "\(error)")
  }
}
