import Foundation
import Synchronization

/// A place to compute in: the parameters and local values of one call.
final class Frame {
  let machine: Machine
  let slots: UnsafeMutablePointer<Value?>
  /// The variables that functions inside share.
  let cells: [Cell]
  /// What the function kept of its surroundings.
  let surroundings: Surroundings
  private let count: Int

  /// Not inlined, as it would take from the stack of each call.
  @inline(never)
  init(_ machine: Machine, count: Int, cellCount: Int = 0, _ surroundings: Surroundings = .none) {
    (self.machine, self.count, self.surroundings) = (machine, count, surroundings)
    cells = cellCount == 0 ? [] : (0..<cellCount).map { _ in Cell() }
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil, count: count)
  }

  /// A place for a call of a function.
  convenience init(_ machine: Machine, _ code: FunctionCode, _ surroundings: Surroundings) {
    self.init(machine, count: code.slotCount, cellCount: code.cellCount, surroundings)
  }

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }
}

/// A variable of a call that functions made in it share with it.
final class Cell: @unchecked Sendable {  // Sendable: only the thread of the session reads and writes it
  let pointer: UnsafeMutablePointer<Value?>

  init() {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: nil)
  }

  deinit {
    if pointer.pointee != nil { Graves.bury(&pointer.pointee) }
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }

  /// Frees what cells held one after the other: a function may hold a cell that holds a function that holds a cell, a
  /// million times, which would need as deep a stack.
  private enum Graves {
    private static let waiting = Mutex<(values: [Value], isBusy: Bool)>(([], false))

    static func bury(_ value: inout Value?) {
      let isFirst = waiting.withLock { waiting in
        if let taken = value.take() { waiting.values.append(taken) }
        defer { waiting.isBusy = true }
        return !waiting.isBusy
      }
      guard isFirst else { return }
      while freeOne() {}
    }

    private static func freeOne() -> Bool {
      let next = waiting.withLock { waiting -> Value? in
        if let next = waiting.values.popLast() { return next }
        waiting.isBusy = false
        return nil
      }
      return next != nil
    }
  }
}

/// What a function keeps of the function around it: values that cannot change any more, and variables that it shares.
final class Surroundings: Sendable {
  let values: [Value]
  let cells: [Cell]
  init(_ values: [Value], _ cells: [Cell]) { (self.values, self.cells) = (values, cells) }
  static let none = Surroundings([], [])
}

/// Where a cell is found.
enum CellSource {
  /// One of this call.
  case own(Int)
  /// One that the function kept.
  case kept(Int)

  @inline(__always)
  func cell(in frame: Frame) -> Cell {
    switch self {
    case .own(let index): frame.cells[index]
    case .kept(let index): frame.surroundings.cells[index]
    }
  }
}

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

/// Reads a variable; one without a value yet means the built-in of its name, where there is one.
final class LocalCode: Code, @unchecked Sendable {
  let slot: Int
  let name: String
  let hidden: Value?
  init(_ slot: Int, _ name: String, _ hidden: Value?, _ span: Span) {
    (self.slot, self.name, self.hidden) = (slot, name, hidden)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    guard let value = frame.slots[slot] ?? hidden else { throw .noValue(name, at: span) }
    return value
  }
}

/// Reads a variable that several functions share.
final class CellCode: Code, @unchecked Sendable {
  let source: CellSource
  let name: String
  let hidden: Value?
  init(_ source: CellSource, _ name: String, _ hidden: Value?, _ span: Span) {
    (self.source, self.name, self.hidden) = (source, name, hidden)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    guard let value = source.cell(in: frame).pointer.pointee ?? hidden else { throw .noValue(name, at: span) }
    return value
  }
}

/// Reads a value that the function kept when it was made.
final class KeptCode: Code, @unchecked Sendable {
  let index: Int
  init(_ index: Int, _ span: Span) {
    self.index = index
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value { frame.surroundings.values[index] }
}

/// A function that was made together with the one that runs, or that one itself.
final class SiblingCode: Code, @unchecked Sendable {
  let function: FunctionCode
  init(_ function: FunctionCode, _ span: Span) {
    self.function = function
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    .function(Function(function, frame.surroundings))
  }
}

/// Takes the value that waits in a slot out of it, so that nothing else holds it.
final class ReceiverCode: Code, @unchecked Sendable {
  let slot: Int
  init(_ slot: Int, _ span: Span) {
    self.slot = slot
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value { frame.slots[slot].take() ?? .none }
}

final class GlobalCode: Code, @unchecked Sendable {
  let slot: Int
  let name: String
  let hidden: Value?
  init(_ slot: Int, _ name: String, _ hidden: Value?, _ span: Span) {
    (self.slot, self.name, self.hidden) = (slot, name, hidden)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    guard let value = frame.machine.globals[slot] ?? hidden else { throw .noValue(name, at: span) }
    return value
  }
}

/// A place that can be given a value.
enum Place {
  case local(Int)
  case global(Int)
  /// A cell of this call.
  case cell(Int)

  @inline(__always)
  func pointer(in frame: Frame) -> UnsafeMutablePointer<Value?> {
    switch self {
    case .local(let slot): frame.slots + slot
    case .global(let slot): frame.machine.globals + slot
    case .cell(let index): frame.cells[index].pointer
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
  /// Where the sum is written, and where the variable in it.
  let sum, variableSpan: Span
  init(_ place: Place, _ name: String, _ added: Code, sum: Span, variableSpan: Span, _ span: Span) {
    (self.place, self.name, self.added) = (place, name, added)
    (self.sum, self.variableSpan) = (sum, variableSpan)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let added = try added.evaluate(frame)
    let pointer = place.pointer(in: frame)
    if case .list(let addedList) = added, try Self.append(addedList, to: &pointer.pointee, at: sum) { return .none }
    guard let old = pointer.pointee else { throw .noValue(name, at: variableSpan) }
    if case .number(let a) = old, case .number(let b) = added {
      pointer.pointee = .number(a + b)
    } else {
      pointer.pointee = try Operators.apply(.add, old, added, at: sum)
    }
    return .none
  }

  /// Appends in place; a function of its own, because any other reference alive would make that a copy.
  /// - Returns: Whether the value is a list.
  /// - Throws: `ScriptError.tooLarge`, before anything is changed.
  @inline(never)
  private static func append(_ added: List, to value: inout Value?, at span: Span) throws(ScriptError) -> Bool {
    guard case .list(var list)? = value else { return false }
    try list.extent.appending(added.extent).check(at: span)
    value = nil
    list.append(contentsOf: added)
    value = .list(list)
    return true
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
      if case .string(let string) = value { text += string } else { text += try value.whole(at: piece.span) }
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
      try Extent.checkCount(weight, at: span)
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

/// A function before it has kept anything.
final class FunctionCode: @unchecked Sendable {  // Sendable: written by the compiler alone, before anything runs
  struct Parameter {
    let name: String
    let `default`: Code?
    /// The cell that takes the argument from its slot, where functions inside share it.
    let cell: Int?
  }
  let name: String
  var parameters: [Parameter] = []
  var body: Code?
  var slotCount = 0
  var cellCount = 0

  init(name: String) { self.name = name }
}

/// Makes a function value of the code and what it keeps here.
final class ClosureCode: Code, @unchecked Sendable {
  let function: FunctionCode
  let values: [Code]
  let cells: [CellSource]
  init(_ function: FunctionCode, _ values: [Code], _ cells: [CellSource], _ span: Span) {
    (self.function, self.values, self.cells) = (function, values, cells)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let closure = Function(function, try Surroundings.around(frame, values, cells))
    try closure.extent.check(at: span)
    return .function(closure)
  }
}

/// Makes the functions that a block defines, before its statements run.
final class GroupCode: Code, @unchecked Sendable {
  let members: [(place: Place, function: FunctionCode)]
  let values: [Code]
  let cells: [CellSource]
  init(_ members: [(place: Place, function: FunctionCode)], _ values: [Code], _ cells: [CellSource], _ span: Span) {
    (self.members, self.values, self.cells) = (members, values, cells)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let surroundings = try Surroundings.around(frame, values, cells)
    for (place, code) in members {
      let function = Function(code, surroundings)
      try function.extent.check(at: span)
      place.pointer(in: frame).pointee = .function(function)
    }
    return .none
  }
}

extension Surroundings {
  /// What a function keeps that is made here.
  fileprivate static func around(
    _ frame: Frame, _ codes: [Code], _ cells: [CellSource]
  ) throws(ScriptError) -> Surroundings {
    if codes.isEmpty, cells.isEmpty { return .none }
    var values: [Value] = []
    values.reserveCapacity(codes.count)
    for code in codes { values.append(try code.evaluate(frame)) }
    return Surroundings(values, cells.map { $0.cell(in: frame) })
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
  override var printsResult: Bool { builtin.printsResult }
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
  /// The built-in function that the callee's name would mean without the script's own value.
  let shadows: String?
  private let isPlain: Bool
  init(_ callee: Code, _ arguments: [ArgumentCode], shadows: String? = nil, _ span: Span) {
    (self.callee, self.arguments, self.shadows) = (callee, arguments, shadows)
    isPlain = arguments.allSatisfy { $0.label == nil }
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try callee.evaluate(frame)
    guard case .function(let function) = value else {
      throw .notCallable(value.typeName, shadows: shadows, at: callee.span)
    }
    return try call(function, frame)
  }

  private func call(_ function: Function, _ frame: Frame) throws(ScriptError) -> Value {
    let machine = frame.machine
    if isPlain, case .script(let code, let surroundings) = function.kind, arguments.count <= code.parameters.count {
      let inner = Frame(machine, code, surroundings)
      for index in arguments.indices { inner.slots[index] = try arguments[index].value.evaluate(frame) }
      return try machine.run(code, inner, at: span)
    }
    return try callByLabels(function, frame)
  }

  @inline(never)
  private func callByLabels(_ function: Function, _ frame: Frame) throws(ScriptError) -> Value {
    var given: [GivenArgument] = []
    for argument in arguments {
      given.append(
        GivenArgument(
          label: argument.label?.text, value: try argument.value.evaluate(frame), labelSpan: argument.label?.span,
          span: argument.value.span))
    }
    return try frame.machine.call(function, given, at: span)
  }
}

/// `x.f(a)`: the function in the field `f`, or `f(x, a)` where there is no such field.
///
/// There `f` means a function: a variable of the script that holds something else does not hide the built-in.
final class MethodCallCode: Code, @unchecked Sendable {
  let receiver: Code
  /// Where the receiver waits to be taken as the first argument.
  let slot: Int
  let name: Name
  let arguments: [ArgumentCode]
  /// The script's variable of this name, and the call of it.
  let own: (variable: Code, call: Code)?
  /// The call of the built-in of this name, or what is wrong with it.
  let builtin: Result<Code, ScriptError>?
  /// All that could have been meant.
  let candidates: @Sendable () -> [String]
  init(
    _ receiver: Code, slot: Int, _ name: Name, _ arguments: [ArgumentCode], own: (variable: Code, call: Code)?,
    builtin: Result<Code, ScriptError>?, candidates: @escaping @Sendable () -> [String], _ span: Span
  ) {
    (self.receiver, self.slot, self.name, self.arguments) = (receiver, slot, name, arguments)
    (self.own, self.builtin, self.candidates) = (own, builtin, candidates)
    super.init(span)
  }
  override var printsResult: Bool {
    if own == nil, case .success(let call)? = builtin { call.printsResult } else { false }
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try receiver.evaluate(frame)
    if let field = try Operators.field(name.text, of: value, at: name.span) {
      return try CallCode(ConstantCode(field, name.span), arguments, span).evaluate(frame)
    }
    let call = try call(frame, on: value)
    frame.slots[slot] = value
    return try call.evaluate(frame)
  }

  private func call(_ frame: Frame, on value: Value) throws(ScriptError) -> Code {
    if let own {
      guard let builtin else { return own.call }
      if case .function? = try? own.variable.evaluate(frame) { return own.call }
      return try builtin.get()
    }
    if let builtin { return try builtin.get() }
    throw .unknownField(
      name.text, of: value.typeName, at: name.span,
      near: Spelling.nearest(to: name.text, in: Operators.fieldNames(of: value) + candidates()))
  }
}
