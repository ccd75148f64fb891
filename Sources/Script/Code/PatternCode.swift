/// Gives the parts of the value that waits in a slot to names.
final class PatternCode: Code, @unchecked Sendable {
  let pattern: Pattern
  let slot: Int
  let places: [Place]
  /// Where the value is written.
  let source: Span
  init(_ pattern: Pattern, slot: Int, _ places: [Place], source: Span) {
    (self.pattern, self.slot, self.places, self.source) = (pattern, slot, places, source)
    super.init(pattern.span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = frame.slots[slot].take() ?? .none
    switch pattern {
    case .name: places[0].pointer(in: frame).pointee = value
    case .list(let names, let span):
      guard let elements = try value.iterated(at: source) else {
        throw .wrongType(what: "what is taken apart", expected: .list, found: value.typeName, at: source)
      }
      guard elements.count == names.count else {
        throw .wrongCount(names: names.count, elements: elements.count, at: span)
      }
      for (place, element) in Swift.zip(places, elements) { place.pointer(in: frame).pointee = element }
    case .record(let names, _):
      var values: [Value] = []
      for name in names {
        guard let field = try Operators.field(name.text, of: value, at: name.span) else {
          throw .unknownField(
            name.text, of: value.typeName, at: name.span,
            near: Spelling.nearest(to: name.text, in: Operators.fieldNames(of: value)))
        }
        values.append(field)
      }
      for (place, field) in Swift.zip(places, values) { place.pointer(in: frame).pointee = field }
    }
    return .none
  }
}

/// A record with names that are computed.
final class ComputedRecordCode: Code, @unchecked Sendable {
  let keys, values: [Code]
  init(_ keys: [Code], _ values: [Code], _ span: Span) {
    (self.keys, self.values) = (keys, values)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var fields: [(String, Value)] = []
    fields.reserveCapacity(keys.count)
    for (key, value) in Swift.zip(keys, values) {
      let name = try key.evaluate(frame)
      guard case .string(let name) = name else {
        throw .wrongType(what: "the name of a field", expected: .string, found: name.typeName, at: key.span)
      }
      fields.append((name, try value.evaluate(frame)))
    }
    let record = Record(fields)
    try record.extent.check(at: span)
    return .record(record)
  }
}

/// `x = x with …`, which changes a record in place where nothing else holds it.
final class UpdateCode: Code, @unchecked Sendable {
  let place: Place
  let base, changes: Code
  /// Where the update is written.
  let update: Span
  init(_ place: Place, _ base: Code, _ changes: Code, with update: Span, _ span: Span) {
    (self.place, self.base, self.changes, self.update) = (place, base, changes, update)
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let changed = try changes.evaluate(frame)
    let pointer = place.pointer(in: frame)
    if case .record(let fields) = changed, Self.merge(fields, into: &pointer.pointee) { return .none }
    let rest = WithCode(base, ConstantCode(changed, changes.span), update)
    pointer.pointee = try rest.evaluate(frame)
    return .none
  }

  /// Changes a record in place; a function of its own, because any other reference alive would make that a copy.
  /// - Returns: Whether the value is a record that surely stays within the limits.
  @inline(never)
  private static func merge(_ fields: Record, into value: inout Value?) -> Bool {
    guard case .record(var record)? = value,
      Int(record.extent.weight) + Int(fields.extent.weight) <= Extent.heaviest,
      Int(fields.extent.depth) <= Extent.deepest
    else { return false }
    value = nil
    record.merge(fields)
    value = .record(record)
    return true
  }
}
