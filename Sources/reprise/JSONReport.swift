import Foundation
import Script

/// What `--json` prints: one document, with sorted keys.
struct JSONReport: Encodable {
  struct Problem: Encodable {
    let code, message: String
    let hint, file: String?
    let line, column: Int?
  }
  let status: Int32
  let output: [String]
  let errors: [Problem]

  init(output: [String], failure: ScriptFailure?) {
    self.output = output
    status = failure?.exitStatus ?? 0
    errors = (failure?.errors ?? []).map { error in
      let diagnostic = error.diagnostic
      return Problem(
        code: diagnostic.code, message: diagnostic.title, hint: diagnostic.hint, file: diagnostic.span?.source.name,
        line: diagnostic.span?.line, column: diagnostic.span?.column)
    }
  }

  var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("strings and numbers are JSON") }
    return String(decoding: data, as: UTF8.self)
  }
}
