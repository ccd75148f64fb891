extension Token: CustomStringConvertible {
  /// One line that says its kind and value.
  package var description: String {
    switch kind {
    case .name(let name): "name \(name)"
    case .number(let number): "number \(Value.text(of: number))"
    case .string(let parts):
      "string "
        + parts.map { part in
          switch part {
          case .text(let text): Value.quoted(text)
          case .expression(let tokens): "(\(tokens.dropLast().map(\.description).joined(separator: ", ")))"
          }
        }.joined(separator: " + ")
    case .keyword(let keyword): "keyword \(keyword.rawValue)"
    case .symbol(let symbol): "symbol \(symbol.rawValue)"
    case .newline: "newline"
    case .text(let text): "text \(Value.quoted(text))"
    case .end: "end"
    }
  }
}

extension Program: CustomStringConvertible {
  /// The tree with a bracket around every operation, a statement on each line.
  public var description: String { statements.map(\.description).joined(separator: "\n") }
}

extension Statement: CustomStringConvertible {
  package var description: String {
    switch kind {
    case .expression(let value): "\(value)"
    case .assignment(let name, let value): "(set \(name.text) \(value))"
    case .destructuring(let pattern, let value): "(set \(pattern) \(value))"
    case .use(let path): "(use \(Value.quoted(path.text)))"
    case .function(let function): "\(function)"
    case .parameter(let parameter):
      "(param \(parameter.name) \(parameter.expression)\(parameter.doc.isEmpty ? "" : " " + Value.quoted(parameter.doc)))"
    case .loop(let pattern, let source, let body): "(for \(pattern) \(source) \(body))"
    case .whileLoop(let condition, let body): "(while \(condition) \(body))"
    case .return(let value): value.map { "(return \($0))" } ?? "(return)"
    case .break: "(break)"
    case .continue: "(continue)"
    case .text(let text): "(text \(Value.quoted(text)))"
    }
  }
}

extension Pattern: CustomStringConvertible {
  package var description: String {
    switch self {
    case .name(let name): name.text
    case .list(let names, _): "(\(names.map(\.text).joined(separator: " ")))"
    case .record(let names, _): "{\(names.map(\.text).joined(separator: " "))}"
    }
  }
}

extension Block: CustomStringConvertible {
  package var description: String { "{\(statements.map(\.description).joined(separator: "; "))}" }
}

extension FunctionSyntax: CustomStringConvertible {
  package var description: String {
    let list = parameters.map { parameter in
      parameter.default.map { "\(parameter.name.text): \($0)" } ?? parameter.name.text
    }
    return "(fn \(name?.text ?? "_") (\(list.joined(separator: " "))) \(body))"
  }
}

extension Expression: CustomStringConvertible {
  package var description: String {
    switch kind {
    case .none: "none"
    case .bool(let bool): bool ? "true" : "false"
    case .number(let number): Value.text(of: number)
    case .string(let string): Value.quoted(string)
    case .interpolation(let pieces): "(text\(pieces.map { " \($0)" }.joined()))"
    case .name(let name): name
    case .list(let elements): "[\(elements.map(\.description).joined(separator: " "))]"
    case .comprehension(let element, let variable, let source, let condition):
      "[\(element) for \(variable) \(source)\(condition.map { " if \($0)" } ?? "")]"
    case .record(let fields): "{\(fields.map { "\($0.name.text): \($0.value)" }.joined(separator: " "))}"
    case .computedRecord(let fields): "{\(fields.map { "[\($0.key)]: \($0.value)" }.joined(separator: " "))}"
    case .formatted(let value, let arguments):
      "(format \(value)\(arguments.map { " " + ($0.label.map { "\($0.text): " } ?? "") + "\($0.value)" }.joined()))"
    case .unary(let unary, let operand): "(\(unary.rawValue) \(operand))"
    case .binary(let binary, let left, let right): "(\(binary.rawValue) \(left) \(right))"
    case .index(let base, let index): "(index \(base) \(index))"
    case .field(let base, let name): "(field \(base) \(name.text))"
    case .call(let callee, let arguments):
      "(call \(callee)\(arguments.map { " " + ($0.label.map { "\($0.text): " } ?? "") + "\($0.value)" }.joined()))"
    case .function(let function): "\(function)"
    case .conditional(let condition, let then, let otherwise):
      "(if \(condition) \(then)\(otherwise.map { " \($0)" } ?? ""))"
    case .with(let base, let changes): "(with \(base) \(changes))"
    }
  }
}
