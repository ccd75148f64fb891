internal import Foundation

/// A question instead of a script: `help NAME`, `?NAME`, `NAME?`, or `help` alone.
public enum HelpQuestion: Hashable, Sendable {
  case overview
  case about(String)

  /// Nil for what is no question, such as a comment that ends with a question mark.
  public init?(_ text: String) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if ["help", "help()", "?"].contains(text) {
      self = .overview
      return
    }
    var name: Substring
    if text.hasPrefix("help ") {
      name = text.dropFirst(5)
    } else if text.hasPrefix("?") {
      name = text.dropFirst()
    } else if text.hasSuffix("?") {
      name = text.dropLast()
    } else {
      return nil
    }
    name = Substring(name.trimmingCharacters(in: .whitespaces))
    let word = name.hasPrefix(":") ? name.dropFirst() : name
    guard !word.isEmpty, word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
    self = .about(String(name))
  }
}

extension Session {
  /// What a name stands for here: its value, or its entry of the reference; of a value that hides a built-in, both.
  /// - Parameter width: Characters of a line; nil where that does not matter.
  /// - Returns: Nil where the name is not known.
  public func help(on name: String, width: Int?) -> String? {
    let reference = Reference(library)
    guard let value = self[name] else { return reference.help(name) }
    let type = library.objectType(value.typeName).flatMap { reference.help($0.name) }
    var text = "\(name): \(value.typeName)\(type.map { "\n" + $0 } ?? "")\n\(value.shown(width: width))"
    if library.names.contains(name), let help = reference.help(name) { text += "\n\nThe built-in that it hides:\n\(help)" }
    return text
  }

  /// What to say where nothing is known of a name.
  public func noHelp(on name: String) -> String {
    let near = Reference(library).nearest(to: name).first.map { "; did you mean '\($0)'?" } ?? ""
    return "no help for '\(name)'\(near)"
  }
}
