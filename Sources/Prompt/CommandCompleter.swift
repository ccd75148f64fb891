internal import Foundation
internal import Script

/// Completes commands of the prompt and their arguments.
struct CommandCompleter {
  let session: Session

  func completions(in text: String, at cursor: Int) -> Completions {
    let before = Array(text.utf8.prefix(max(0, cursor)))
    let typed = String(decoding: before, as: UTF8.self)
    let (command, name, rest) = PromptCall.head(of: typed)
    if rest.isEmpty, name != "!" { return candidates(promptCommands.map { ($0.name, $0.doc) }, name, before.count) }
    guard let command, let parameter = parameter(of: command, in: rest) else {
      return Completions(start: before.count, candidates: [])
    }
    let word = String(rest.reversed().prefix { !$0.isWhitespace }.reversed())
    switch parameter.kind {
    case .statement:
      // The language's own, behind the command.
      let start = before.count - rest.utf8.count
      let inner = session.completions(in: String(rest), at: rest.utf8.count)
      return Completions(start: start + inner.start, candidates: inner.candidates)
    case .command:
      let word = word.hasPrefix(":") ? word : ":" + word
      let names = promptCommands.map { ($0.name, $0.doc) }
      return candidates(names, word, before.count, typed: typed.hasSuffix(word) ? word : String(word.dropFirst()))
    case .name:
      return candidates(session.globalNames.map { ($0, session[$0]?.typeName ?? "") }, word, before.count)
    case .file, .shellCommand:
      // As within a string of the language, which knows the files.
      let quoted = "\"" + word
      let inner = session.completions(in: quoted, at: quoted.utf8.count)
      return Completions(start: before.count - word.utf8.count + inner.start - 1, candidates: inner.candidates)
    }
  }

  /// The parameter that the word at the end is for.
  private func parameter(of command: PromptCommand, in rest: Substring) -> PromptCommand.Parameter? {
    if let first = command.parameters.first, first.takesRest { return first }
    let done = rest.split(whereSeparator: \.isWhitespace).count - (rest.last?.isWhitespace == false ? 1 : 0)
    return command.parameters.indices.contains(done) ? command.parameters[done] : nil
  }

  private func candidates(
    _ names: [(String, String)], _ word: String, _ end: Int, typed: String? = nil
  ) -> Completions {
    Completions(
      start: end - (typed ?? word).utf8.count,
      candidates: names.filter { $0.0.hasPrefix(word) }.map { .init(text: $0.0, doc: $0.1) })
  }
}
