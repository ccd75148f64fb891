final class BlockCode: Code, @unchecked Sendable {
  let statements: [Code]
  init(_ statements: [Code], _ span: Span) {
    self.statements = statements
    super.init(span)
  }
  override func run(_ frame: Frame) throws(ScriptError) -> Completion {
    var last = Completion.value(.none)
    for statement in statements {
      last = try statement.run(frame)
      guard case .value = last else { return last }
    }
    return last
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    switch try run(frame) {
    case .value(let value), .return(let value): return value
    case .break, .continue: return .none  // the checker keeps these inside loops
    }
  }
}

final class ConditionalCode: Code, @unchecked Sendable {
  let condition, then: Code
  let otherwise: Code?
  init(_ condition: Code, _ then: Code, _ otherwise: Code?, _ span: Span) {
    (self.condition, self.then, self.otherwise) = (condition, then, otherwise)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    if try condition.truth(frame, "the condition") { return try then.evaluate(frame) }
    return try otherwise?.evaluate(frame) ?? .none
  }
  override func run(_ frame: Frame) throws(ScriptError) -> Completion {
    if try condition.truth(frame, "the condition") { return try then.run(frame) }
    return try otherwise?.run(frame) ?? .value(.none)
  }
}

final class LoopCode: Code, @unchecked Sendable {
  let place: Place
  let source, body: Code
  init(_ place: Place, _ source: Code, _ body: Code, _ span: Span) {
    (self.place, self.source, self.body) = (place, source, body)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    _ = try run(frame)
    return .none
  }
  override func run(_ frame: Frame) throws(ScriptError) -> Completion {
    var result = Completion.value(.none)
    let source = try source.evaluate(frame)
    try Operators.iterate(source, at: self.source.span, frame.machine) { value throws(ScriptError) in
      place.pointer(in: frame).pointee = value
      switch try body.run(frame) {
      case .value, .continue: return true
      case .break: return false
      case .return(let value):
        result = .return(value)
        return false
      }
    }
    return result
  }
}

final class WhileCode: Code, @unchecked Sendable {
  let condition, body: Code
  init(_ condition: Code, _ body: Code, _ span: Span) {
    (self.condition, self.body) = (condition, body)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    _ = try run(frame)
    return .none
  }
  override func run(_ frame: Frame) throws(ScriptError) -> Completion {
    while try condition.truth(frame, "the condition") {
      try frame.machine.checkInterruption(at: condition.span)
      switch try body.run(frame) {
      case .value, .continue: continue
      case .break: return .value(.none)
      case .return(let value): return .return(value)
      }
    }
    return .value(.none)
  }
}

/// `return`, `break`, `continue`.
final class LeaveCode: Code, @unchecked Sendable {
  enum Way {
    case `return`(Code?)
    case `break`, `continue`
  }
  let way: Way
  init(_ way: Way, _ span: Span) {
    self.way = way
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value { .none }
  override func run(_ frame: Frame) throws(ScriptError) -> Completion {
    switch way {
    case .return(let value): .return(try value?.evaluate(frame) ?? .none)
    case .break: .break
    case .continue: .continue
    }
  }
}

/// A `##` line.
final class TextCode: Code, @unchecked Sendable {
  let text: String
  init(_ text: String, _ span: Span) {
    self.text = text
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    frame.machine.output.narrate(text)
    return .none
  }
}
