import Notebook
import Script
import Testing

@Suite("words of earlier releases") struct RetiredWordsTests {
  /// A script that uses a word as it was used.
  private func script(_ word: RetiredWord) throws -> String {
    let builtins = notebookLibrary.builtins
    switch word.kind {
    case .function: return "\(word.old)()"
    case .argument(let functions):
      let function = try #require(
        functions.first ?? builtins.first { $0.parameters.contains { $0.label == word.new } }?.name)
      return "\(function)(\(word.old): 1)"
    case .field: return "{ \(word.new): 1 }.\(word.old)"
    case .choice(of: let label):
      let function = try #require(builtins.first { $0.parameters.contains { $0.label == label && $0.isLabelled } })
      let value = label == "augment" ? "[x for x in [\"\(word.old)\"]]" : "\"\(word.old)\""
      return "\(function.name)(\(label): \(value))"
    }
  }

  @Test("an error about a retired word names the word of today", arguments: notebookLibrary.retired)
  func error(_ word: RetiredWord) throws {
    let workshop = try Workshop()
    let errors = workshop.session.check(Source(try script(word), name: "old.reprise"))
    let isSaid = errors.contains { if case .retired(word.old, now: word.new, at: _) = $0 { true } else { false } }
    if word.kind == .choice(of: "augment") {
      // Only the run looks into a list.
      #expect(errors.allSatisfy { if case .missingArgument = $0 { true } else { false } })
    } else {
      #expect(isSaid, "\(errors)")
    }
  }

  @Test("a list with a retired word is explained when it is used")
  func list() throws {
    let workshop = try Workshop()
    let failure = #expect(throws: ScriptFailure.self) {
      try workshop.value(
        "train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 8, validation: 4), augment: [\"erasing\"])")
    }
    guard case .retired("erasing", now: "randomErasing", at: _)? = failure?.errors.first else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }

  @Test("no retired word is in use, and each new word is", arguments: notebookLibrary.retired)
  func replacement(_ word: RetiredWord) {
    let builtins = notebookLibrary.builtins
    switch word.kind {
    case .function:
      #expect(notebookLibrary.builtin(word.old) == nil && notebookLibrary.builtin(word.new) != nil)
    case .argument(let functions):
      let concerned = builtins.filter { functions.isEmpty || functions.contains($0.name) }
      #expect(concerned.contains { $0.parameters.contains { $0.label == word.new } })
      // Where no function is named, one that still has the old label keeps it.
      if !functions.isEmpty { #expect(!concerned.contains { $0.parameters.contains { $0.label == word.old } }) }
    case .field: break
    case .choice(of: let label):
      #expect(builtins.contains { $0.parameters.contains { $0.label == label && "\($0.type)".contains("\"\(word.new)\"") } })
    }
  }
}
