/// What a builtin was called with: checked against its parameters, so each value is of the declared type.
public struct Arguments {
  public let context: CallContext
  let builtin: Builtin
  /// One per parameter; nil where it was left out and has no default.
  let values: [Value?]
  let variadic: [Value]
  let spans: ArgumentSpans

  private func index(_ label: String) -> Int {
    guard let index = builtin.parameters.firstIndex(where: { $0.label == label }) else {
      preconditionFailure("'\(builtin.name)' has no parameter '\(label)'")
    }
    return index
  }

  /// The value of a parameter; nil where it was left out, or is `none`.
  public subscript(label: String) -> Value? {
    guard let value = values[index(label)] else { return nil }
    if case .none = value { return nil }
    return value
  }

  /// The value of a parameter, `none` where it was left out.
  public func value(_ label: String) -> Value { values[index(label)] ?? .none }

  /// Whether the call gives it, and not as `none`.
  public func has(_ label: String) -> Bool { self[label] != nil }

  /// Whether the call gives a value to a parameter that may be any value, `none` too.
  public func gives(_ label: String) -> Bool { values[index(label)] != nil }

  /// Whether the builtin has a parameter of this name.
  public func takes(_ label: String) -> Bool { builtin.parameters.contains { $0.label == label } }

  /// What the variadic parameter took.
  public var rest: [Value] { variadic }

  /// The call as it could be written, without what is left to defaults.
  public var written: String {
    let list = zip(builtin.parameters, values).compactMap { parameter, value -> String? in
      guard let value, value != parameter.default, !parameter.isVariadic else { return nil }
      return parameter.isLabelled ? "\(parameter.label): \(value.shown)" : value.shown
    }
    return "\(builtin.name)(\((list + variadic.map(\.shown)).joined(separator: ", ")))"
  }

  /// Where the call is written.
  public var span: Span { spans.call }

  /// Where an argument is written; the call where it was left out.
  public func span(of label: String) -> Span { spans[index(label)] }

  /// Where an argument of the variadic parameter is written.
  public func span(ofRest index: Int) -> Span { spans.rest(index) }

  private func wrong(_ label: String) -> ScriptError {
    let parameter = builtin.parameters[index(label)]
    if values[index(label)] == nil { return .missingArgument(label, of: builtin.name, at: span) }
    return .wrongType(what: label, expected: parameter.type, found: value(label).typeName, at: span(of: label))
  }

  public func number(_ label: String) throws(ScriptError) -> Double {
    guard let number = value(label).asNumber else { throw wrong(label) }
    return number
  }

  public func integer(_ label: String) throws(ScriptError) -> Int {
    let number = try number(label)
    guard let integer = Int(exactly: number) else { throw .notWhole(number, what: label, at: span(of: label)) }
    return integer
  }

  /// A number that stands in an argument, such as an element of its list or a field of its record, as an integer.
  ///
  /// Every conversion of a script's number to `Int` goes this way: `Int(_:)` ends the process where a number is too large.
  /// - Parameter what: How the error calls it; the argument's label where left out.
  /// - Throws: `notWhole`, or `outOfRange`, which tells what is allowed.
  public func integer(
    _ number: Double, called what: String? = nil, in allowed: ClosedRange<Double> = Value.integers, at label: String
  ) throws(ScriptError) -> Int {
    guard allowed.contains(number) || number.isNaN else {
      throw .outOfRange(what ?? label, number, allowed: allowed, at: span(of: label))
    }
    guard let integer = Int(exactly: number) else {
      throw .notWhole(number, what: what ?? label, at: span(of: label))
    }
    return integer
  }

  public func string(_ label: String) throws(ScriptError) -> String {
    guard case .string(let string) = value(label) else { throw wrong(label) }
    return string
  }

  public func bool(_ label: String) throws(ScriptError) -> Bool {
    guard case .bool(let bool) = value(label) else { throw wrong(label) }
    return bool
  }

  public func record(_ label: String) throws(ScriptError) -> Record {
    guard case .record(let record) = value(label) else { throw wrong(label) }
    return record
  }

  public func range(_ label: String) throws(ScriptError) -> NumberRange {
    guard case .range(let range) = value(label) else { throw wrong(label) }
    return range
  }

  public func function(_ label: String) throws(ScriptError) -> Function {
    guard case .function(let function) = value(label) else { throw wrong(label) }
    return function
  }

  /// The elements of a list, of a range, or of an object that has some.
  public func list(_ label: String) throws(ScriptError) -> [Value] {
    guard let elements = try value(label).iterated(at: span(of: label)) else { throw wrong(label) }
    return elements
  }

  public func numbers(_ label: String) throws(ScriptError) -> [Double] {
    var numbers: [Double] = []
    for element in try list(label) {
      guard let number = element.asNumber else {
        throw .wrongType(
          what: label, expected: .list(of: .number), found: "a \(element.typeName) in it", at: span(of: label))
      }
      numbers.append(number)
    }
    return numbers
  }

  public func strings(_ label: String) throws(ScriptError) -> [String] {
    var strings: [String] = []
    for element in try list(label) {
      guard case .string(let string) = element else {
        throw .wrongType(
          what: label, expected: .list(of: .string), found: "a \(element.typeName) in it", at: span(of: label))
      }
      strings.append(string)
    }
    return strings
  }

  /// An object of a Swift type: `try arguments.object("model", as: Model.self)`.
  public func object<Object: ScriptObject>(_ label: String, as type: Object.Type) throws(ScriptError) -> Object {
    guard case .object(let object) = value(label), let object = object as? Object else { throw wrong(label) }
    return object
  }

  /// An error that says what is wrong, at an argument or at the whole call.
  public func failure(_ problem: String, hint: String? = nil, at label: String? = nil) -> ScriptError {
    .failed(problem, hint: hint, at: label.map(span(of:)) ?? span)
  }

  /// An error that says that data or weights are not here.
  public func missing(_ problem: String, hint: String? = nil, at label: String? = nil) -> ScriptError {
    .missingData(problem, hint: hint, at: label.map(span(of:)) ?? span)
  }
}

/// Where the arguments of a call are written; looked up only when something is wrong.
struct ArgumentSpans {
  let call: Span
  /// For each parameter the argument's place, or nil.
  var places: [Span?]
  let variadic: [Span]

  subscript(index: Int) -> Span { index < places.count ? places[index] ?? call : call }
  func rest(_ index: Int) -> Span { index < variadic.count ? variadic[index] : call }
}

extension Value {
  /// What it runs through, or nil where it has no elements.
  func iterated(at span: @autoclosure () -> Span) throws(ScriptError) -> [Value]? {
    switch self {
    case .list(let list): return list.elements
    case .range(let range):
      try Extent.checkCount(range.count, at: span())
      return (0..<range.count).map { .number(range.lower + Double($0)) }
    case .object(let object): return object.elements
    default: return nil
    }
  }
}
