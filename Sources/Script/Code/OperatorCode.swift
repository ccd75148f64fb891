final class NotCode: Code, @unchecked Sendable {
  let operand: Code
  init(_ operand: Code, _ span: Span) {
    self.operand = operand
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    .bool(!(try operand.truth(frame, "what 'not' is applied to")))
  }
}

final class NegateCode: Code, @unchecked Sendable {
  let operand: Code
  init(_ operand: Code, _ span: Span) {
    self.operand = operand
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try operand.evaluate(frame)
    guard let number = value.asNumber else {
      throw .wrongOperands("-", left: value.typeName, right: nil, at: span)
    }
    return .number(-number)
  }
}

/// `and`, `or`: the right side is looked at only where the left does not decide.
final class LogicCode: Code, @unchecked Sendable {
  let isAnd: Bool
  let left, right: Code
  init(isAnd: Bool, _ left: Code, _ right: Code, _ span: Span) {
    (self.isAnd, self.left, self.right) = (isAnd, left, right)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let what = isAnd ? "a side of 'and'" : "a side of 'or'"
    if try left.truth(frame, what) != isAnd { return .bool(!isAnd) }
    return .bool(try right.truth(frame, what))
  }
}

/// `a ?? b`: `b` is looked at only where `a` is none.
final class OtherwiseCode: Code, @unchecked Sendable {
  let left, right: Code
  init(_ left: Code, _ right: Code, _ span: Span) {
    (self.left, self.right) = (left, right)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try left.evaluate(frame)
    if case .none = value { return try right.evaluate(frame) }
    return value
  }
}

final class BinaryCode: Code, @unchecked Sendable {
  let binary: BinaryOperator
  let left, right: Code
  init(_ binary: BinaryOperator, _ left: Code, _ right: Code, _ span: Span) {
    (self.binary, self.left, self.right) = (binary, left, right)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let a = try left.evaluate(frame)
    let b = try right.evaluate(frame)
    if case .number(let x) = a, case .number(let y) = b {
      switch binary {
      case .add: return .number(x + y)
      case .subtract: return .number(x - y)
      case .multiply: return .number(x * y)
      case .less: return .bool(x < y)
      case .lessOrEqual: return .bool(x <= y)
      case .greater: return .bool(x > y)
      case .greaterOrEqual: return .bool(x >= y)
      case .equal: return .bool(x == y)
      case .notEqual: return .bool(x != y)
      default: break
      }
    }
    return try Operators.apply(binary, a, b, at: span)
  }
}
