internal import Foundation

/// A notebook of Jupyter, format 4, as far as a script has a place for it: cells and what is said of them. Outputs are
/// left out: a run makes them again.
public enum NotebookFile {
  /// The cells of a notebook.
  /// - Throws: `JupyterError.notebook`.
  public static func cells(_ bytes: [UInt8], path: String) throws(JupyterError) -> ScriptCells {
    guard let notebook = JSON(bytes) else { throw .notebook(path: path, problem: "holds no JSON") }
    guard notebook["nbformat"]?.integer == 4, let list = notebook["cells"]?.array else {
      throw .notebook(path: path, problem: "is no notebook of format 4")
    }
    var cells: [ScriptCells.Cell] = []
    for (place, cell) in list.enumerated() {
      guard let kind = cell["cell_type"]?.string, let text = text(cell["source"]) else {
        throw .notebook(path: path, problem: "has no type or no source in cell \(place + 1)")
      }
      guard ["code", "markdown"].contains(kind) else {
        throw .notebook(path: path, problem: "has a cell of type '\(kind)' (cell \(place + 1)); code and markdown have a place in a script")
      }
      if kind == "code", ScriptCells.lines(of: text).contains(where: { ScriptCells.heading($0) != nil }) {
        throw .notebook(path: path, problem: "has a line '\(ScriptCells.mark)' within cell \(place + 1), which would begin another cell of the script")
      }
      if cell["attachments"]?.object?.isEmpty == false {
        throw .notebook(path: path, problem: "has attached files in cell \(place + 1); a script has no place for them")
      }
      var metadata = cell["metadata"]?.object ?? [:]
      if let id = cell["id"]?.string, id != identifier(place) { metadata["id"] = .string(id) }
      cells.append(ScriptCells.Cell(isMarkdown: kind == "markdown", text: text, metadata: metadata))
    }
    return ScriptCells(cells)
  }

  private static func text(_ source: JSON?) -> String? {
    if let text = source?.string { return text }
    guard let lines = source?.array else { return nil }
    let texts = lines.compactMap(\.string)
    return texts.count == lines.count ? texts.joined() : nil
  }

  private static func identifier(_ place: Int) -> String { "cell-\(place + 1)" }

  /// A notebook of format 4.5 for the kernel.
  public static func bytes(_ script: ScriptCells) -> [UInt8] {
    let cells = script.cells.enumerated().map { place, cell -> JSON in
      var metadata = cell.metadata
      let id = metadata.removeValue(forKey: "id")?.string ?? identifier(place)
      let lines = ScriptCells.lines(of: cell.text)
      let source = lines.enumerated().map { $0 < lines.count - 1 ? $1 + "\n" : $1 }.filter { !$0.isEmpty }
      var fields: [String: JSON] = [
        "cell_type": cell.isMarkdown ? "markdown" : "code", "id": .string(id), "metadata": .object(metadata),
        "source": .array(source.map(JSON.string)),
      ]
      if !cell.isMarkdown { fields.merge(["outputs": [], "execution_count": .null]) { $1 } }
      return .object(fields)
    }
    let notebook: JSON = [
      "nbformat": 4, "nbformat_minor": 5, "cells": .array(cells),
      "metadata": [
        "kernelspec": ["name": "reprise", "display_name": "Reprise", "language": "reprise"],
        "language_info": ["name": "reprise", "file_extension": ".reprise", "mimetype": "text/x-reprise"],
      ],
    ]
    return notebook.bytes(isPretty: true) + [UInt8(ascii: "\n")]
  }
}
