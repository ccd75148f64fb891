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
    return Surroundings(try codes.evaluate(frame), cells.map { $0.cell(in: frame) })
  }
}
