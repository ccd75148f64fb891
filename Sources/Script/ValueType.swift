/// What a value may be: of parameters, results and fields; what the checker knows and help shows.
public indirect enum ValueType: Hashable, Sendable {
  case any, none, bool, number, integer, string, range, function, record
  case list(of: ValueType)
  /// A record whose fields are known.
  case recordOf([String: ValueType])
  /// A value of another module, by its type's name: `.object("model")`.
  case object(String)
  /// One of some strings.
  case oneOf([String])
  case optional(ValueType)
  case either([ValueType])

  public static let list = ValueType.list(of: .any)
}

extension ValueType: CustomStringConvertible {
  /// How it is called in messages and in the reference.
  public var description: String {
    switch self {
    case .any: "any value"
    case .none: "none"
    case .bool: "true or false"
    case .number: "number"
    case .integer: "integer"
    case .string: "string"
    case .range: "range"
    case .function: "function"
    case .record, .recordOf: "record"
    case .list(of: .any): "list"
    case .list(of: let element): "list of \(element.plural)"
    case .object(let name): name
    case .oneOf(let choices): choices.map { "\"\($0)\"" }.joined(separator: " or ")
    case .optional(let type): "\(type) or none"
    case .either(let types): types.map(\.description).joined(separator: " or ")
    }
  }

  private var plural: String {
    switch self {
    case .bool: "true or false"
    case .oneOf, .optional, .either: "(\(description))"
    case .list: "lists"
    default: description + (description.hasSuffix("s") ? "" : "s")
    }
  }
}

extension ValueType {
  /// Whether a value fits.
  public func accepts(_ value: Value) -> Bool {
    switch (self, value) {
    case (.any, _), (.none, .none), (.bool, .bool), (.number, .number), (.string, .string), (.range, .range),
      (.function, .function), (.record, .record):
      true
    case (.integer, .number(let number)): number.rounded() == number && abs(number) <= Value.largestInteger
    case (.list(of: let element), .list(let list)): element == .any || list.elements.allSatisfy(element.accepts)
    case (.list(of: let element), .range): element == .any || element == .number || element == .integer
    case (.list(of: let element), .object(let object)):
      object.elements.map { element == .any || $0.allSatisfy(element.accepts) } ?? false
    case (.recordOf(let fields), .record(let record)):
      fields.allSatisfy { name, type in record[name].map(type.accepts) ?? type.accepts(.none) }
    case (.object(let name), .object(let object)): object.typeName == name
    case (.oneOf(let choices), .string(let string)): choices.contains(string)
    case (.optional(let type), _): if case .none = value { true } else { type.accepts(value) }
    case (.either(let types), _): types.contains { $0.accepts(value) }
    default: false
    }
  }

  /// The strings that it allows by name.
  var words: [String] {
    switch self {
    case .oneOf(let choices): choices
    case .optional(let type): type.words
    case .either(let types): types.flatMap(\.words)
    default: []
    }
  }

  /// Whether a value of a type that is only known roughly might fit.
  func mightAccept(_ other: ValueType) -> Bool {
    switch (self, other) {
    case (.any, _), (_, .any): true
    case (_, .optional(let type)): mightAccept(type)
    case (_, .either(let types)): types.contains { mightAccept($0) }
    case (.optional(let type), _): other == .none || type.mightAccept(other)
    case (.either(let types), _): types.contains { $0.mightAccept(other) }
    case (.number, .integer), (.integer, .number): true
    case (.string, .oneOf), (.oneOf, .string), (.oneOf, .oneOf): true
    case (.record, .recordOf), (.recordOf, .record), (.recordOf, .recordOf): true
    case (.list(of: let a), .list(of: let b)): a.mightAccept(b)
    case (.list(of: let a), .range): a.mightAccept(.number)
    case (.list, .object): true  // an object may have elements
    default: self == other
    }
  }
}

extension ValueType {
  var unwrapped: ValueType { if case .optional(let type) = self { type } else { self } }
}

extension ValueType {
  /// How a value of the type is called where it is found and not wanted.
  var found: String {
    switch self {
    case .oneOf: "string"
    case .integer: "number"
    case .bool: "truth value"
    case .list: "list"
    default: description
    }
  }

  /// Without what is known only of a literal.
  var widened: ValueType { if case .oneOf = self { .string } else { self } }

  var isObject: Bool { if case .object = self { true } else { false } }

  /// What a loop over it gives.
  var element: ValueType {
    switch self {
    case .list(of: let element): element
    case .range: .number
    case .record, .recordOf: .string
    default: .any
    }
  }

  /// The type of a value that may be of either.
  func joined(with other: ValueType) -> ValueType {
    if self == other { return self }
    switch (self, other) {
    case (.integer, .number), (.number, .integer): return .number
    case (.oneOf, .oneOf), (.oneOf, .string), (.string, .oneOf): return .string
    default: return .any
    }
  }
}

extension Value {
  /// What the checker may know of a value that a session holds.
  var staticType: ValueType {
    switch self {
    case .none: .any
    case .bool: .bool
    case .number: .number
    case .string: .string
    case .list(let list):
      .list(
        of: list.elements.isEmpty || list.elements.count > 100
          ? .any : list.elements[1...].reduce(list.elements[0].staticType) { $0.joined(with: $1.staticType) })
    case .record(let record):
      .recordOf(Dictionary(record.fields.map { ($0, $1.staticType) }) { first, _ in first })
    case .range: .range
    case .function: .function
    case .object(let object): .object(object.typeName)
    }
  }
}
