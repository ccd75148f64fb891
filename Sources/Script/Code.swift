import Foundation

/// A place to compute in: the parameters and local values of one call.
final class Frame {
  let machine: Machine
  let slots: UnsafeMutablePointer<Value?>
  private let count: Int

  init(_ machine: Machine, count: Int) {
    (self.machine, self.count) = (machine, count)
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil, count: count)
  }

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }
}

/// An expression with its names resolved to places, ready to run.
///
/// Classes, because calling a method of an object is the fastest dispatch there is to a tree.
class Code: @unchecked Sendable {  // Sendable: subclasses have only `let`s
  let span: Span
  init(_ span: Span) { self.span = span }

  func evaluate(_ frame: Frame) throws(ScriptError) -> Value { preconditionFailure("abstract") }

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

final class LocalCode: Code, @unchecked Sendable {
  let slot: Int
  let name: String
  init(_ slot: Int, _ name: String, _ span: Span) {
    (self.slot, self.name) = (slot, name)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    guard let value = frame.slots[slot] else { throw .noValue(name, at: span) }
    return value
  }
}

final class GlobalCode: Code, @unchecked Sendable {
  let slot: Int
  let name: String
  init(_ slot: Int, _ name: String, _ span: Span) {
    (self.slot, self.name) = (slot, name)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    guard let value = frame.machine.globals[slot] else { throw .noValue(name, at: span) }
    return value
  }
}

/// A place that can be given a value.
enum Place {
  case local(Int)
  case global(Int)

  @inline(__always)
  func pointer(in frame: Frame) -> UnsafeMutablePointer<Value?> {
    switch self {
    case .local(let slot): frame.slots + slot
    case .global(let slot): frame.machine.globals + slot
    }
  }
}

final class AssignmentCode: Code, @unchecked Sendable {
  let place: Place
  let value: Code
  init(_ place: Place, _ value: Code, _ span: Span) {
    (self.place, self.value) = (place, value)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try value.evaluate(frame)
    place.pointer(in: frame).pointee = value
    return .none
  }
}

/// `x = x + …`, which appends to a list without copying it.
final class AppendCode: Code, @unchecked Sendable {
  let place: Place
  let name: String
  let added: Code
  init(_ place: Place, _ name: String, _ added: Code, _ span: Span) {
    (self.place, self.name, self.added) = (place, name, added)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let added = try added.evaluate(frame)
    let pointer = place.pointer(in: frame)
    if case .list(let addedList) = added, let extent = Self.append(addedList, to: &pointer.pointee) {
      try extent.check(at: span)
      return .none
    }
    guard let old = pointer.pointee else { throw .noValue(name, at: span) }
    if case .number(let a) = old, case .number(let b) = added {
      pointer.pointee = .number(a + b)
    } else {
      pointer.pointee = try Operators.apply(.add, old, added, at: span)
    }
    return .none
  }

  /// Appends in place; a function of its own, because any other reference alive would make that a copy.
  /// - Returns: the new extent, or nil where the value is not a list.
  @inline(never)
  private static func append(_ added: List, to value: inout Value?) -> Extent? {
    guard case .list(var list)? = value else { return nil }
    value = nil
    list.append(contentsOf: added)
    let extent = list.extent
    value = .list(list)
    return extent
  }
}

final class ListCode: Code, @unchecked Sendable {
  let elements: [Code]
  init(_ elements: [Code], _ span: Span) {
    self.elements = elements
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for element in elements { values.append(try element.evaluate(frame)) }
    let list = List(values)
    try list.extent.check(at: span)
    return .list(list)
  }
}

final class RecordCode: Code, @unchecked Sendable {
  let names: [String]
  let values: [Code]
  init(_ names: [String], _ values: [Code], _ span: Span) {
    (self.names, self.values) = (names, values)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var results: [Value] = []
    results.reserveCapacity(values.count)
    for value in values { results.append(try value.evaluate(frame)) }
    let record = Record(names: names, values: results)
    try record.extent.check(at: span)
    return .record(record)
  }
}

final class InterpolationCode: Code, @unchecked Sendable {
  let pieces: [Code]
  init(_ pieces: [Code], _ span: Span) {
    self.pieces = pieces
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var text = ""
    for piece in pieces {
      let value = try piece.evaluate(frame)
      if case .string(let string) = value { text += string } else { text += value.text }
      try Operators.checkLength(text.utf8.count, at: span)
    }
    return .string(text)
  }
}

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
    guard case .number(let number) = value else {
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

final class IndexCode: Code, @unchecked Sendable {
  let base, index: Code
  init(_ base: Code, _ index: Code, _ span: Span) {
    (self.base, self.index) = (base, index)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    try Operators.element(of: try base.evaluate(frame), at: try index.evaluate(frame), span, index.span)
  }
}

final class FieldCode: Code, @unchecked Sendable {
  let base: Code
  let name: Name
  init(_ base: Code, _ name: Name, _ span: Span) {
    (self.base, self.name) = (base, name)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try base.evaluate(frame)
    if let field = try Operators.field(name.text, of: value, at: name.span) { return field }
    throw .unknownField(
      name.text, of: value.typeName, at: name.span,
      near: Spelling.nearest(to: name.text, in: Operators.fieldNames(of: value)))
  }
}

final class WithCode: Code, @unchecked Sendable {
  let base, changes: Code
  init(_ base: Code, _ changes: Code, _ span: Span) {
    (self.base, self.changes) = (base, changes)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try base.evaluate(frame)
    let changes = try changes.evaluate(frame)
    guard case .record(let record) = changes else {
      throw .wrongType(what: "what follows 'with'", expected: .record, found: changes.typeName, at: self.changes.span)
    }
    switch value {
    case .record(let old):
      let merged = old.merging(record)
      try merged.extent.check(at: span)
      return .record(merged)
    case .object(let object):
      let changed: Value?
      do { changed = try object.with(record) } catch let error as ScriptError { throw error } catch {
        throw .domain(DomainFailure(error), at: span)
      }
      if let changed { return changed }
      throw .wrongType(what: "what stands before 'with'", expected: .record, found: value.typeName, at: base.span)
    default:
      throw .wrongType(what: "what stands before 'with'", expected: .record, found: value.typeName, at: base.span)
    }
  }
}

final class ComprehensionCode: Code, @unchecked Sendable {
  let element, source: Code
  let condition: Code?
  let slot: Int
  init(_ element: Code, slot: Int, source: Code, condition: Code?, _ span: Span) {
    (self.element, self.source, self.condition, self.slot) = (element, source, condition, slot)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var results: [Value] = []
    var weight = 0
    let source = try source.evaluate(frame)
    try Operators.iterate(source, at: self.source.span, frame.machine) { value throws(ScriptError) in
      frame.slots[slot] = value
      if let condition, !(try condition.truth(frame, "the condition")) { return true }
      let result = try element.evaluate(frame)
      weight += Int(result.extent.weight)
      if weight > Extent.heaviest {
        throw ScriptError.tooLarge("number of elements of a value", limit: Extent.heaviest, at: span)
      }
      results.append(result)
      return true
    }
    let list = List(results)
    try list.extent.check(at: span)
    return .list(list)
  }
}

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

/// A function before it has captured anything.
final class FunctionCode: @unchecked Sendable {  // Sendable: written once, by the compiler, before anything runs
  struct Parameter {
    let name: String
    let `default`: Code?
  }
  let name: String
  let parameters: [Parameter]
  let body: FunctionBody
  let slotCount: Int
  /// Where the captured values go, in the order of `captures`.
  let captureSlots: [Int]
  /// Where a function finds itself.
  let selfSlot: Int?

  init(
    name: String, parameters: [Parameter], body: FunctionBody, slotCount: Int, captureSlots: [Int], selfSlot: Int?
  ) {
    (self.name, self.parameters, self.body) = (name, parameters, body)
    (self.slotCount, self.captureSlots, self.selfSlot) = (slotCount, captureSlots, selfSlot)
  }
}

struct FunctionBody {
  let code: Code
  @inline(__always)
  func run(_ frame: Frame) throws(ScriptError) -> Value { try code.evaluate(frame) }
}

/// Makes a function value of the code and what it captures here.
final class ClosureCode: Code, @unchecked Sendable {
  let function: FunctionCode
  /// Slots of the frame around it.
  let captures: [LocalCode]
  init(_ function: FunctionCode, _ captures: [LocalCode], _ span: Span) {
    (self.function, self.captures) = (function, captures)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var values: [Value] = []
    for capture in captures { values.append(try capture.evaluate(frame)) }
    let closure = Function(function, captures: values)
    try closure.extent.check(at: span)
    return .function(closure)
  }
}

/// A call of a builtin that was known before: each argument already has its parameter.
final class BuiltinCallCode: Code, @unchecked Sendable {
  let builtin: Builtin
  let arguments: [Code?]
  let variadic: [Code]
  let spans: ArgumentSpans
  init(_ builtin: Builtin, _ arguments: [Code?], _ variadic: [Code], _ spans: ArgumentSpans) {
    (self.builtin, self.arguments, self.variadic, self.spans) = (builtin, arguments, variadic, spans)
    super.init(spans.call)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var values: [Value?] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments { values.append(try argument?.evaluate(frame)) }
    var rest: [Value] = []
    for argument in variadic { rest.append(try argument.evaluate(frame)) }
    try frame.machine.checkInterruption(at: span)
    return try frame.machine.call(builtin, values, rest, spans)
  }
}

struct ArgumentCode {
  let label: Name?
  let value: Code
}

/// A call of whatever the callee turns out to be.
final class CallCode: Code, @unchecked Sendable {
  let callee: Code
  let arguments: [ArgumentCode]
  private let isPlain: Bool
  init(_ callee: Code, _ arguments: [ArgumentCode], _ span: Span) {
    (self.callee, self.arguments) = (callee, arguments)
    isPlain = arguments.allSatisfy { $0.label == nil }
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try callee.evaluate(frame)
    guard case .function(let function) = value else { throw .notCallable(value.typeName, at: callee.span) }
    return try call(function, frame)
  }

  private func call(_ function: Function, _ frame: Frame) throws(ScriptError) -> Value {
    let machine = frame.machine
    if isPlain, case .script(let code, _) = function.kind, arguments.count <= code.parameters.count {
      let inner = Frame(machine, count: code.slotCount)
      for index in arguments.indices { inner.slots[index] = try arguments[index].value.evaluate(frame) }
      return try machine.run(code, function, inner, at: span)
    }
    var given: [GivenArgument] = []
    for argument in arguments {
      given.append(
        GivenArgument(
          label: argument.label?.text, value: try argument.value.evaluate(frame), labelSpan: argument.label?.span,
          span: argument.value.span))
    }
    return try machine.call(function, given, at: span)
  }
}

/// `x.f(a)`: the function in the field `f`, or `f(x, a)` where there is no such field.
final class MethodCallCode: Code, @unchecked Sendable {
  let receiver: Code
  /// Where the receiver waits for `fallback` to take it as its first argument.
  let slot: Int
  let name: Name
  let arguments: [ArgumentCode]
  let fallback: Code?
  /// All that could have been meant.
  let candidates: [String]
  init(
    _ receiver: Code, slot: Int, _ name: Name, _ arguments: [ArgumentCode], fallback: Code?, candidates: [String],
    _ span: Span
  ) {
    (self.receiver, self.slot, self.name, self.arguments) = (receiver, slot, name, arguments)
    (self.fallback, self.candidates) = (fallback, candidates)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try receiver.evaluate(frame)
    if let field = try Operators.field(name.text, of: value, at: name.span) {
      return try CallCode(ConstantCode(field, name.span), arguments, span).evaluate(frame)
    }
    guard let fallback else {
      throw .unknownField(
        name.text, of: value.typeName, at: name.span,
        near: Spelling.nearest(to: name.text, in: Operators.fieldNames(of: value) + candidates))
    }
    frame.slots[slot] = value
    return try fallback.evaluate(frame)
  }
}
