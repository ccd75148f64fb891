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
