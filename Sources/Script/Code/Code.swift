/// An expression with its names resolved to places, ready to run.
///
/// Classes, because calling a method of an object is the fastest dispatch there is to a tree.
class Code: @unchecked Sendable {  // Sendable: subclasses have only `let`s
  let span: Span
  init(_ span: Span) { self.span = span }

  func evaluate(_ frame: Frame) throws(ScriptError) -> Value { preconditionFailure("abstract") }

  /// Whether it calls a built-in that prints what it gives.
  var printsResult: Bool { false }

  /// Runs it as a statement, which may leave the loop or function around it.
  func run(_ frame: Frame) throws(ScriptError) -> Completion { .value(try evaluate(frame)) }

  final func truth(_ frame: Frame, _ what: String) throws(ScriptError) -> Bool {
    let value = try evaluate(frame)
    guard case .bool(let bool) = value else {
      throw .wrongType(what: what, expected: .bool, found: value.typeName, at: span)
    }
    return bool
  }
}

extension [Code] {
  /// Evaluates one after another. Inlined, since a frame of its own would take from the stack of each call.
  @inline(__always)
  func evaluate(_ frame: Frame) throws(ScriptError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(count)
    for code in self { values.append(try code.evaluate(frame)) }
    return values
  }
}

/// How a statement ended.
enum Completion {
  case value(Value)
  case `break`, `continue`
  case `return`(Value)
}

final class ConstantCode: Code, @unchecked Sendable {
  let value: Value
  init(_ value: Value, _ span: Span) {
    self.value = value
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value { value }
}
