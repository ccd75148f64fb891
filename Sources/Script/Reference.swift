/// Help and the reference page, made from the declarations.
public struct Reference: Sendable {
  private let library: Library

  public init(_ library: Library) { self.library = library }

  /// What `help NAME` shows; nil where there is no such name.
  public func help(_ name: String) -> String? {
    if let builtin = library.builtin(name) { return help(builtin) }
    if let constant = library.constant(name) {
      return "\(constant.name): \(constant.type)\n  \(constant.doc)\n  \(constant.value.shown)"
    }
    if let type = library.objectType(name) {
      let width = type.fields.map(\.name.count).max() ?? 0
      let fields = type.fields.map { "  .\(pad($0.name, width))  \($0.doc) (\($0.type))" }
      let functions = self.functions(of: name)
      let list = functions.isEmpty ? [] : ["What takes one: \(functions.joined(separator: ", "))."]
      return (["\(type.name): \(type.doc)"] + fields + list).joined(separator: "\n")
    }
    return Self.keywords[name]
  }

  /// The names nearest to one that is not known.
  public func nearest(to name: String) -> [String] {
    Spelling.nearest(to: name, in: library.names + library.objectTypes.map(\.name) + Array(Self.keywords.keys))
  }

  /// What `help` alone shows: all names by chapter.
  public var overview: String {
    var lines: [String] = []
    for chapter in chapters {
      lines.append("\(chapter.name): \(chapter.builtins.map(\.name).joined(separator: ", "))")
    }
    if !library.objectTypes.isEmpty {
      lines.append("Kinds of values: \(library.objectTypes.map(\.name).joined(separator: ", "))")
    }
    lines.append("Names: \(library.constants.map(\.name).joined(separator: ", "))")
    lines.append("Words of the language: \(Self.keywords.keys.sorted().joined(separator: ", "))")
    return lines.joined(separator: "\n")
  }

  /// The whole reference in Markdown.
  public var markdown: String {
    var text = "# Reference\n\nAll functions of the language, generated from their declarations: `reprise doc` prints this page, and\n`help NAME` at the prompt shows an entry. An argument with a default value, or marked optional, can be\nleft out.\n"
    for chapter in chapters {
      text += "\n## \(chapter.name)\n"
      for builtin in chapter.builtins { text += "\n" + markdown(builtin) }
    }
    if !library.objectTypes.isEmpty {
      text += "\n## Kinds of values\n"
      for type in library.objectTypes {
        text += "\n### \(type.name)\n\n\(type.doc)\n"
        if !type.fields.isEmpty {
          text += "\n| field | type | |\n|---|---|---|\n"
          for field in type.fields { text += "| `\(field.name)` | \(field.type) | \(escaped(field.doc)) |\n" }
        }
        let functions = self.functions(of: type.name)
        if !functions.isEmpty { text += "\nTaken by \(functions.map { "`\($0)`" }.joined(separator: ", ")).\n" }
      }
    }
    for table in library.tables { text += "\n" + table.markdown }
    text += "\n## Names\n\n| name | type | |\n|---|---|---|\n"
    for constant in library.constants {
      text += "| `\(constant.name)` | \(constant.type) | \(escaped(constant.doc)) |\n"
    }
    text += "\n## Words of the language\n\n| word | |\n|---|---|\n"
    for (word, doc) in Self.keywords.sorted(by: { $0.key < $1.key }) { text += "| `\(word)` | \(escaped(doc)) |\n" }
    return text
  }

  // MARK: Parts

  private var chapters: [(name: String, builtins: [Builtin])] {
    var chapters: [(name: String, builtins: [Builtin])] = []
    for builtin in library.builtins {
      let name = builtin.chapter.isEmpty ? "Other" : builtin.chapter
      if let index = chapters.firstIndex(where: { $0.name == name }) {
        chapters[index].builtins.append(builtin)
      } else {
        chapters.append((name, [builtin]))
      }
    }
    return chapters
  }

  private func functions(of type: String) -> [String] {
    library.builtins.filter { $0.parameters.first?.type.mentions(type) == true }.map(\.name)
  }

  private func help(_ builtin: Builtin) -> String {
    var lines = ["\(builtin.signature) -> \(builtin.result)", "  \(builtin.doc)"]
    let width = builtin.parameters.map(\.label.count).max() ?? 0
    for parameter in builtin.parameters {
      lines.append("  \(pad(parameter.label, width))  \(describe(parameter))")
    }
    for example in builtin.examples {
      lines += example.lines.map { "  > \($0)" }
      if let gives = example.gives { lines.append("  \(gives)") }
    }
    return lines.joined(separator: "\n")
  }

  private func describe(_ parameter: Parameter) -> String {
    var text = parameter.doc.isEmpty ? "\(parameter.type)" : "\(parameter.doc) (\(parameter.type)"
    if let value = parameter.default {
      text += parameter.doc.isEmpty ? ", \(value.literal)" : ", else \(value.literal)"
    }
    if parameter.isOptional { text += ", optional" }
    if !parameter.doc.isEmpty { text += ")" }
    return text
  }

  private func markdown(_ builtin: Builtin) -> String {
    var text = "### \(builtin.name)\n\n`\(builtin.signature)` returns \(builtin.result)\n\n\(builtin.doc)\n"
    if !builtin.parameters.isEmpty {
      text += "\n| parameter | type | default | |\n|---|---|---|---|\n"
      for parameter in builtin.parameters {
        let value = parameter.default.map { "`\($0.literal)`" } ?? (parameter.mayBeOmitted ? "optional" : "")
        text += "| `\(parameter.label)` | \(escaped("\(parameter.type)")) | \(value) | \(escaped(parameter.doc)) |\n"
      }
    }
    if !builtin.examples.isEmpty {
      text += "\n```\n"
      for example in builtin.examples {
        for line in example.lines { text += "> \(line)\n" }
        if let gives = example.gives { text += "\(gives)\n" }
      }
      text += "```\n"
    }
    return text
  }

  private func escaped(_ text: String) -> String {
    String(text.map { $0 == "\n" ? " " : $0 }).split(separator: "|", omittingEmptySubsequences: false).joined(
      separator: "\\|")
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static let keywords = [
    "if": "if x > 1 { … } else { … }: a statement or an expression.", "else": "See 'if'.",
    "for": "for x in list { … }, or [f(x) for x in list if x > 1].", "in": "See 'for'.",
    "while": "while x > 1 { … }", "break": "Ends the loop.", "continue": "Continues with the next iteration of the loop.",
    "fn": "fn area(width, height: 1) = width * height, or { … }; without a name: x => x + 1.",
    "return": "Returns a value from the function.",
    "param": "param epochs = 8 \"number of epochs\": a parameter of the script, which --set epochs=2 sets.",
    "use": "use \"common.reprise\" brings the names of another script; the path is relative to this one.",
    "with": "recipe with { epochs: 8 }: a copy of the record with some fields changed.",
    "and": "True if both are true. Also written &&.", "or": "True if at least one is true. Also written ||.", "not": "True if the operand is false. Also written !.",
    "true": "A truth value.", "false": "A truth value.", "none": "No value.",
  ]
}

extension ValueType {
  /// Whether a value of an object's type may be meant.
  func mentions(_ name: String) -> Bool {
    switch self {
    case .object(let object): object == name
    case .optional(let type): type.mentions(name)
    case .either(let types): types.contains { $0.mentions(name) }
    case .list(of: let element): element.mentions(name)
    default: false
    }
  }
}
