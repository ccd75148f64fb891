/// Finds the names that statements give values to: those are the local names of a function.
///
/// Functions inside have names of their own and are not looked into.
struct AssignedNames {
  /// Each name once, in the order of the text, with its first place.
  private(set) var names: [Name] = []
  /// How often each is given a value.
  private(set) var counts: [String: Int] = [:]

  init(_ statements: [Statement]) {
    for statement in statements { visit(statement) }
  }

  private mutating func add(_ name: Name) {
    if counts[name.text] == nil { names.append(name) }
    counts[name.text, default: 0] += 1
  }

  private mutating func visit(_ block: Block) {
    for statement in block.statements { visit(statement) }
  }

  private mutating func visit(_ statement: Statement) {
    switch statement.kind {
    case .expression(let expression): visit(expression)
    case .assignment(let name, let value):
      visit(value)
      add(name)
    case .destructuring(let pattern, let value):
      visit(value)
      for name in pattern.names { add(name) }
    case .function(let function): if let name = function.name { add(name) }
    case .parameter(let parameter): add(Name(text: parameter.name, span: parameter.nameSpan))
    case .loop(let pattern, let source, let body):
      visit(source)
      for name in pattern.names { add(name) }
      visit(body)
    case .whileLoop(let condition, let body):
      visit(condition)
      visit(body)
    case .return(let value): if let value { visit(value) }
    case .break, .continue, .text, .use: break
    }
  }

  private mutating func visit(_ expression: Expression) {
    if case .conditional(_, let then, let otherwise) = expression.kind {
      for child in expression.children { visit(child) }
      visit(then)
      if let otherwise { visit(otherwise) }
    } else {
      for child in expression.children { visit(child) }
    }
  }
}

extension Expression {
  /// The expressions it is made of; neither blocks nor what stands inside functions.
  var children: [Expression] {
    switch kind {
    case .none, .bool, .number, .string, .name, .function: []
    case .interpolation(let parts), .list(let parts): parts
    case .comprehension(let element, _, let source, let condition): [element, source] + (condition.map { [$0] } ?? [])
    case .record(let fields): fields.map(\.value)
    case .computedRecord(let fields): fields.flatMap { [$0.key, $0.value] }
    case .formatted(let value, let arguments): [value] + arguments.map(\.value)
    case .unary(_, let operand): [operand]
    case .binary(_, let left, let right): [left, right]
    case .index(let base, let index): [base, index]
    case .field(let base, _): [base]
    case .call(let callee, let arguments): [callee] + arguments.map(\.value)
    case .conditional(let condition, _, _): [condition]
    case .with(let base, let changes): [base, changes]
    }
  }
}
