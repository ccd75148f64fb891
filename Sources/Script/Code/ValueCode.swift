final class ListCode: Code, @unchecked Sendable {
  let elements: [Code]
  init(_ elements: [Code], _ span: Span) {
    self.elements = elements
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let list = List(try elements.evaluate(frame))
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
    let record = Record(names: names, values: try values.evaluate(frame))
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
  /// Takes the element apart, where it is given to several names.
  let taken: Code?
  init(_ element: Code, slot: Int, taken: Code? = nil, source: Code, condition: Code?, _ span: Span) {
    (self.element, self.source, self.condition, self.slot) = (element, source, condition, slot)
    self.taken = taken
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var results: [Value] = []
    var weight = 0
    let source = try source.evaluate(frame)
    try Operators.iterate(source, at: self.source.span, frame.machine) { value throws(ScriptError) in
      frame.slots[slot] = value
      if let taken { _ = try taken.evaluate(frame) }
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
