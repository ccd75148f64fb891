/// A parsed script.
public struct Program: Sendable {
  public let source: Source
  package let statements: [Statement]
  /// Whether it ends with `;`, which silences the prompt.
  public let isSilent: Bool

  /// What can be set from outside.
  public var parameters: [ScriptParameter] {
    statements.compactMap { if case .parameter(let parameter) = $0.kind { parameter } else { nil } }
  }
}

/// A `param` of a script: settable with `--set NAME=VALUE`.
public struct ScriptParameter: Sendable {
  public let name: String
  public let doc: String
  package let nameSpan: Span
  package let expression: Expression

  /// The value where none is set; nil where it is not a literal, which the checker reports.
  public var `default`: Value? { expression.literalValue }
}

/// A name where it is written.
package struct Name: Hashable, Sendable {
  package let text: String
  package let span: Span
}

/// What a loop or an assignment gives its values to.
package enum Pattern: Hashable, Sendable {
  case name(Name)
  /// `(a, b)`: the elements of a list, one for each name.
  case list([Name], Span)
  /// `{ a, b }`: the fields of these names.
  case record([Name], Span)

  package var names: [Name] {
    switch self {
    case .name(let name): [name]
    case .list(let names, _), .record(let names, _): names
    }
  }
  package var span: Span {
    switch self {
    case .name(let name): name.span
    case .list(_, let span), .record(_, let span): span
    }
  }
}

package struct Statement: Sendable {
  package indirect enum Kind: Sendable {
    case expression(Expression)
    case assignment(Name, Expression)
    /// `(a, b) = pair`, `{ value, error } = result`.
    case destructuring(Pattern, Expression)
    /// `use "common.reprise"`: the path as it is written.
    case use(Name)
    case function(FunctionSyntax)
    case parameter(ScriptParameter)
    case loop(Pattern, Expression, Block)
    case whileLoop(Expression, Block)
    case `return`(Expression?)
    case `break`
    case `continue`
    /// A line of the report's Markdown.
    case text(String)
  }
  package let kind: Kind
  package let span: Span

  var depth: Int {
    switch kind {
    case .expression(let value), .assignment(_, let value), .destructuring(_, let value), .return(let value?):
      value.depth
    case .function(let function): function.depth
    case .parameter(let parameter): parameter.expression.depth
    case .loop(_, let source, let body): max(source.depth, body.depth) + 1
    case .whileLoop(let condition, let body): max(condition.depth, body.depth) + 1
    case .return(nil), .break, .continue, .text, .use: 0
    }
  }
}

/// Statements between braces, or the single expression behind `=` or `=>`.
package struct Block: Sendable {
  package let statements: [Statement]
  package let span: Span
  /// How many expressions stand in each other at most.
  package let depth: Int

  init(statements: [Statement], span: Span) {
    (self.statements, self.span) = (statements, span)
    depth = statements.lazy.map(\.depth).max() ?? 0
  }
}

package struct FunctionSyntax: Sendable {
  package struct Parameter: Sendable {
    package let name: Name
    package let `default`: Expression?
  }
  /// Nil for `x => …`.
  package let name: Name?
  package let parameters: [Parameter]
  package let body: Block

  var depth: Int { max(body.depth, parameters.lazy.compactMap(\.default?.depth).max() ?? 0) + 1 }
}

package struct CallArgument: Sendable {
  package let label: Name?
  package let value: Expression
}

package enum BinaryOperator: String, Sendable {
  case or, and
  case otherwise = "??"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
  case power = "**"
  case range = "..."
  case halfOpenRange = "..<"
}

package enum UnaryOperator: String, Sendable {
  case negate = "-"
  case not
}

package struct Expression: Sendable {
  package indirect enum Kind: Sendable {
    case none
    case bool(Bool)
    case number(Double)
    case string(String)
    case interpolation([Expression])
    case name(String)
    case list([Expression])
    case comprehension(Expression, variable: Pattern, source: Expression, condition: Expression?)
    case record([(name: Name, value: Expression)])
    /// A record with names that are computed: `{ [key]: 1 }`.
    case computedRecord([(key: Expression, value: Expression)])
    /// `\(x, digits: 2)` in a string: a number as `format` writes it.
    case formatted(Expression, [CallArgument])
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)
    case index(Expression, Expression)
    case field(Expression, Name)
    case call(Expression, [CallArgument])
    case function(FunctionSyntax)
    case conditional(Expression, Block, otherwise: Block?)
    case with(Expression, Expression)
  }
  package let kind: Kind
  package let span: Span
  /// How many expressions stand in each other: bounded, so that a walk over the tree is safe.
  package let depth: Int

  /// Its value where it is written as a literal.
  var literalValue: Value? {
    switch kind {
    case .none: return Value.none
    case .bool(let bool): return .bool(bool)
    case .number(let number): return .number(number)
    case .string(let string): return .string(string)
    case .unary(.negate, let operand):
      guard case .number(let number)? = operand.literalValue else { return nil }
      return .number(-number)
    case .list(let elements):
      let values = elements.compactMap(\.literalValue)
      return values.count == elements.count ? .list(values) : nil
    case .record(let fields):
      let values = fields.compactMap { field in field.value.literalValue.map { (field.name.text, $0) } }
      return values.count == fields.count ? .record(Record(values)) : nil
    default: return nil
    }
  }
}
