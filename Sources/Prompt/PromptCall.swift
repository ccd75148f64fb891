internal import Foundation
internal import Script

/// A command of the prompt as it was typed.
struct PromptCall {
  let command: PromptCommand
  let arguments: [String]

  /// What is wrong with a command.
  enum Mistake: Error, Hashable {
    case unknown(String)
    /// It takes more or fewer arguments.
    case wrongCount(usage: String)
    case openQuote
  }

  /// Whether a text is for the prompt rather than the language, in which nothing begins so.
  static func isCommand(_ text: some StringProtocol) -> Bool {
    let first = text.first { !$0.isWhitespace }
    return first == ":" || first == "!"
  }

  /// Where the name of a command ends, and the command where there is one.
  static func head(of text: some StringProtocol) -> (command: PromptCommand?, name: String, rest: Substring) {
    let text = Substring(text).drop(while: \.isWhitespace)
    if text.hasPrefix("!") { return (promptCommands.named("!"), "!", text.dropFirst()) }
    let name = String(text.prefix { !$0.isWhitespace })
    return (promptCommands.named(name), name, text.dropFirst(name.count))
  }

  init(_ text: String) throws(Mistake) {
    let (command, name, rest) = Self.head(of: text)
    guard let command else { throw .unknown(name) }
    self.command = command
    if command.parameters.first?.takesRest == true {
      let rest = rest.trimmingCharacters(in: .whitespacesAndNewlines)
      arguments = rest.isEmpty ? [] : [rest]
    } else {
      arguments = try Self.words(rest)
    }
    guard command.allowedCounts.contains(arguments.count) else { throw .wrongCount(usage: command.usage) }
  }

  /// Words between blanks; a word that holds blanks stands in quotes.
  static func words(_ text: Substring) throws(Mistake) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in text {
      if character == "\"" {
        isQuoted.toggle()
        word = word ?? ""
      } else if character.isWhitespace, !isQuoted {
        if let whole = word { words.append(whole) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if isQuoted { throw .openQuote }
    return words + (word.map { [$0] } ?? [])
  }
}

extension PromptCall.Mistake {
  /// What it is, and what helps.
  var words: (problem: String, hint: String) {
    switch self {
    case .unknown(let name):
      let near = Spelling.nearest(to: name, in: promptCommands.map(\.name)).first
      return ("'\(name)' is no command of the prompt", near.map { "did you mean '\($0)'?" } ?? ":help lists them")
    case .wrongCount(let usage): return ("these are not its arguments", usage)
    case .openQuote: return ("a quote is not closed", "\"my file.reprise\"")
    }
  }
}
