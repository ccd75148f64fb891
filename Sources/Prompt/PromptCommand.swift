/// A command of the prompt, declared once: what it is called, takes and does. Help, completion, the guide's list and the
/// manual page are made from these.
public struct PromptCommand: Sendable {
  /// One argument.
  struct Parameter: Sendable {
    enum Kind: Sendable {
      /// A file below the working directory.
      case file
      /// A name that has a value.
      case name
      /// A command of the prompt.
      case command
      /// The rest of the line, in the language.
      case statement
      /// The rest of the line, for the shell.
      case shellCommand
    }
    let label: String
    let kind: Kind
    var isOptional = false

    /// Whether it is all of the line that is left, blanks and quotes included.
    var takesRest: Bool { kind == .statement || kind == .shellCommand }
  }

  /// With its colon; `!` for the shell's.
  public let name: String
  /// Those that may be left out come last.
  let parameters: [Parameter]
  /// One or two sentences for help.
  public let doc: String
  let action: @Sendable (PromptSession, [String]) -> Void

  init(
    _ name: String, _ parameters: Parameter..., doc: String,
    action: @escaping @Sendable (PromptSession, [String]) -> Void
  ) {
    (self.name, self.parameters, self.doc, self.action) = (name, parameters, doc, action)
  }

  /// How it is typed: `:save FILE [NAME]`.
  public var usage: String {
    let arguments = parameters.map { $0.isOptional ? "[\($0.label)]" : $0.label }.joined(separator: " ")
    return name == "!" || arguments.isEmpty ? name + arguments : "\(name) \(arguments)"
  }

  var allowedCounts: ClosedRange<Int> { parameters.count { !$0.isOptional }...parameters.count }
}

extension [PromptCommand] {
  /// A line for each, how it is typed and what it does.
  public var table: String {
    let width = map(\.usage.count).max() ?? 0
    return map { $0.usage + String(repeating: " ", count: width - $0.usage.count) + "  " + $0.doc }.joined(separator: "\n")
  }

  /// The same in Markdown.
  public var markdown: String {
    "| command | |\n|---|---|\n" + map { "| `\($0.usage)` | \($0.doc.replacing("|", with: "\\|")) |\n" }.joined()
  }

  /// The command of a name, or of its beginning where that is of one command only.
  func named(_ name: String) -> PromptCommand? {
    if let command = first(where: { $0.name == name }) { return command }
    let found = filter { name.count > 1 && $0.name.hasPrefix(name) }
    return found.count == 1 ? found[0] : nil
  }
}
