import Foundation
import Notebook
import Script
import Tensors

/// What `--json` prints: one document, with sorted keys.
struct JSONReport: Encodable {
  struct Problem: Encodable {
    let code, message: String
    let hint, file: String?
    let line, column: Int?
  }
  let status: Int32
  let output: [String]
  let claims: [Claim]
  let errors: [Problem]

  init(status: Int32, output: [String], claims: [Claim], failure: ScriptFailure? = nil) {
    (self.status, self.output, self.claims) = (status, output, claims)
    errors = (failure?.errors ?? []).map { error in
      let diagnostic = error.diagnostic
      return Problem(
        code: diagnostic.code, message: diagnostic.title,
        hint: [diagnostic.hint, diagnostic.list].compactMap { $0 }.joined(separator: "; ").nonEmpty,
        file: diagnostic.span?.source.name,
        line: diagnostic.span?.line, column: diagnostic.span?.column)
    }
  }
}

extension String {
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

extension Encodable {
  /// As JSON, with sorted keys, on lines of its own.
  var jsonText: String { JSONText.of(self, isPretty: true) + "\n" }
}
