import Foundation

/// What operators, indexing, fields and loops do with values.
enum Operators {
  /// The longest string. Bytes.
  static let longestString = 64 << 20

  static func checkLength(_ count: Int, at span: Span) throws(ScriptError) {
    if count > longestString { throw .tooLarge("length of a string", limit: longestString, at: span) }
  }

  static func apply(_ binary: BinaryOperator, _ a: Value, _ b: Value, at span: Span) throws(ScriptError) -> Value {
    if case .divide = binary, case .object(let x) = a, case .object(let y) = b, let quotient = x.divided(by: y) { return quotient }
    if a.isNumberObject || b.isNumberObject { return try apply(binary, a.plain, b.plain, at: span) }
    switch (binary, a, b) {
    case (.equal, _, _): return .bool(a == b)
    case (.notEqual, _, _): return .bool(!(a == b))
    case (_, .number(let x), .number(let y)): return try arithmetic(binary, x, y, at: span)
    case (.add, .string(let x), .string(let y)):
      try checkLength(x.utf8.count + y.utf8.count, at: span)
      return .string(x + y)
    case (.add, .list(var x), .list(let y)):
      x.append(contentsOf: y)
      try x.extent.check(at: span)
      return .list(x)
    case (.less, .string(let x), .string(let y)): return .bool(x < y)
    case (.lessOrEqual, .string(let x), .string(let y)): return .bool(x <= y)
    case (.greater, .string(let x), .string(let y)): return .bool(x > y)
    case (.greaterOrEqual, .string(let x), .string(let y)): return .bool(x >= y)
    default: throw .wrongOperands(binary.rawValue, left: a.typeName, right: b.typeName, at: span)
    }
  }

  private static func arithmetic(
    _ binary: BinaryOperator, _ x: Double, _ y: Double, at span: Span
  ) throws(ScriptError) -> Value {
    switch binary {
    case .add: return .number(x + y)
    case .subtract: return .number(x - y)
    case .multiply: return .number(x * y)
    case .divide:
      guard y != 0 else { throw .divisionByZero(at: span) }
      return .number(x / y)
    case .remainder:
      guard y != 0 else { throw .divisionByZero(at: span) }
      // The sign of the divisor, so that -1 % 10 is 9.
      let remainder = x.truncatingRemainder(dividingBy: y)
      return .number(remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder)
    case .power: return .number(pow(x, y))
    case .less: return .bool(x < y)
    case .lessOrEqual: return .bool(x <= y)
    case .greater: return .bool(x > y)
    case .greaterOrEqual: return .bool(x >= y)
    case .equal: return .bool(x == y)
    case .notEqual: return .bool(x != y)
    case .range: return .range(NumberRange(x, y))
    case .halfOpenRange: return .range(NumberRange(x, upTo: y))
    case .and, .or, .otherwise: preconditionFailure("decided elsewhere")
    }
  }

  /// `list[0]`, `list[-1]` from the end, `record["name"]`, `string[0]`.
  static func element(of base: Value, at index: Value, _ span: Span, _ indexSpan: Span) throws(ScriptError) -> Value {
    switch (base, index) {
    case (.record(let record), .string(let name)):
      guard let value = record[name] else {
        throw .unknownField(
          name, of: "record", at: indexSpan, near: Spelling.nearest(to: name, in: record.names))
      }
      return value
    case (.range(let range), .number(let number)):
      return .number(range.lower + Double(try position(number, range.count, indexSpan)))
    case (.list(let list), .number(let number)):
      return list.elements[try position(number, list.elements.count, indexSpan)]
    case (.list(let list), .range(let range)):
      return .list(Array(list.elements[try slice(range, list.elements.count, indexSpan)]))
    case (.string(let string), .number(let number)):
      let place = try position(number, string.count, indexSpan)
      return .string(String(string[string.index(string.startIndex, offsetBy: place)]))
    case (.string(let string), .range(let range)):
      let places = try slice(range, string.count, indexSpan)
      return .string(String(string.dropFirst(places.lowerBound).prefix(places.count)))
    case (.object(let object), _):
      guard let elements = object.elements else {
        throw .wrongType(what: "what is indexed", expected: .list, found: base.typeName, at: span)
      }
      return try element(of: .list(List(elements)), at: index, span, indexSpan)
    case (.record, _):
      throw .wrongType(what: "the index", expected: .string, found: index.typeName, at: indexSpan)
    case (.list, _), (.range, _), (.string, _):
      throw .wrongType(what: "the index", expected: .number, found: index.typeName, at: indexSpan)
    default: throw .wrongType(what: "what is indexed", expected: .list, found: base.typeName, at: span)
    }
  }

  private static func position(_ number: Double, _ count: Int, _ span: Span) throws(ScriptError) -> Int {
    guard number.rounded() == number, let index = Int(exactly: number) else {
      throw .notWhole(number, what: "the index", at: span)
    }
    guard index >= -count, index < count else { throw .indexOutOfRange(index, count: count, at: span) }
    return index < 0 ? index + count : index
  }

  /// The places that a range stands for. Each bound counts from the end where it is negative: `1...-1` is all but the
  /// first, `0..<-1` all but the last. A part that would end before it begins is empty.
  private static func slice(_ range: NumberRange, _ count: Int, _ span: Span) throws(ScriptError) -> Range<Int> {
    let bound = range.end ?? range.upper.rounded(.down)
    for number in [range.lower, bound] where number.isNaN { throw .notWhole(number, what: "the index", at: span) }
    if range.count == 0 {
      // Numbers of one sign that fall are no numbers; what begins right behind the last is empty too, as `1...-1` of a
      // list of one.
      if (range.lower < 0) == (bound < 0) || range.lower == Double(count) { return 0..<0 }
    }
    let first = try position(range.lower, count, span)
    let end =
      if range.count == 0, range.end != nil {
        try position(bound, count, span)
      } else {
        try position(range.upper.rounded(.down), count, span) + 1
      }
    return first < end ? first..<end : 0..<0
  }

  static func field(_ name: String, of value: Value, at span: Span) throws(ScriptError) -> Value? {
    switch value {
    case .record(let record): return record[name]
    case .range(let range):
      switch name {
      case "lower": return .number(range.lower)
      case "upper": return .number(range.upper)
      default: return nil
      }
    case .object(let object):
      do { return try object.field(name) } catch let error as ScriptError { throw error } catch {
        throw .domain(DomainFailure(error), at: span)
      }
    default: return nil
    }
  }

  static func fieldNames(of value: Value) -> [String] {
    switch value {
    case .record(let record): record.names
    case .range: ["lower", "upper"]
    case .object(let object): object.fieldNames
    default: []
    }
  }

  /// Runs a loop's turns until one says to stop.
  static func iterate(
    _ value: Value, at span: Span, _ machine: Machine, _ turn: (Value) throws(ScriptError) -> Bool
  ) throws(ScriptError) {
    if case .range(let range) = value {
      // Turn by turn, so that a long range costs nothing before it is run through.
      var index = 0.0
      while range.lower + index <= range.upper {
        try machine.checkInterruption(at: span)
        guard try turn(.number(range.lower + index)) else { return }
        let next = index + 1
        guard range.lower + next > range.lower + index else {
          throw .outOfRange("range", range.upper, allowed: -Value.largestInteger...Value.largestInteger, at: span)
        }
        index = next
      }
      return
    }
    if case .record(let record) = value {
      for name in record.names {
        try machine.checkInterruption(at: span)
        guard try turn(.string(name)) else { return }
      }
      return
    }
    if case .object(let object) = value, let shown = object as? ProgressValue {
      var progress = LoopProgress(shown, machine.output)
      defer { progress.clear() }
      progress.show(done: 0)
      for (index, element) in shown.list.elements.enumerated() {
        try machine.checkInterruption(at: span)
        guard try turn(element) else { return }
        progress.show(done: index + 1)
      }
      return
    }
    guard let elements = try value.iterated(at: span) else {
      throw .wrongType(what: "what is run through", expected: .list, found: value.typeName, at: span)
    }
    for element in elements {
      try machine.checkInterruption(at: span)
      guard try turn(element) else { return }
    }
  }
}
