internal import Script
internal import Tensors

private let path = Parameter("path", .string, "The file.")

extension Arguments {
  /// The text of a file, without a byte order mark.
  fileprivate func text(of label: String) throws -> String {
    let path = try existingFile(label, hint: "name a file of text")
    var bytes = try readFile(path, limit: 64 << 20)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("'\(try string(label))' is not UTF-8 text", hint: "save the file as UTF-8", at: label)
    }
    return text
  }
}

let readText = Builtin(
  "readText", "Returns the contents of a text file.", parameters: [path], result: .string,
  examples: [Example("write(\"done\", to: \"notes.txt\")\ntrim(readText(\"notes.txt\"))", gives: "\"done\"")],
  chapter: "Tables and text files"
) { arguments in .string(try arguments.text(of: "path")) }

let readJSON = Builtin(
  "readJSON", "Reads a JSON file: objects become records, arrays become lists, and null becomes none.",
  parameters: [path], result: .any,
  examples: [
    Example("write({ lr: 0.1, steps: [30, 60] }, to: \"recipe.json\")\nreadJSON(\"recipe.json\").steps", gives: "[30, 60]")
  ], chapter: "Tables and text files"
) { arguments in
  let text = try arguments.text(of: "path")
  do {
    return try JSONReader.value(of: text)
  } catch let failure as JSONReader.Failure {
    throw arguments.failure(
      "'\(try arguments.string("path"))' is not JSON: line \(failure.line): \(failure.problem)", at: "path")
  }
}

let readCSV = Builtin(
  "readCSV",
  "Reads a CSV file as a list of records. The first row names the fields. A column is numeric if all its cells are numbers; empty cells become none.",
  parameters: [
    path, Parameter("separator", .string, "Character between cells, such as \";\" or \"\\t\".", default: .string(","), labelled: true),
  ], result: .list(of: .record),
  examples: [
    Example(
      "write([{ model: \"vgg16\", top1: 71.6 }, { model: \"resnet50\", top1: 75.8 }], to: \"models.csv\")\nmean([row.top1 for row in readCSV(\"models.csv\")])",
      gives: "73.7")
  ], chapter: "Tables and text files"
) { arguments in
  let separator = try arguments.string("separator")
  guard separator.count == 1, let character = separator.first, character != "\"" else {
    throw arguments.failure("the separator must be one character", at: "separator")
  }
  let text = try arguments.text(of: "path")
  do {
    return .list(try CSV.records(of: text, separator: character))
  } catch let failure as CSV.Failure {
    throw arguments.failure("'\(try arguments.string("path"))', line \(failure.line): \(failure.problem)", at: "path")
  }
}
