/// A value of the language. Values never change, so none can contain itself.
public enum Value: Sendable {
  case none
  case bool(Bool)
  case number(Double)
  case string(String)
  case list(List)
  case record(Record)
  case range(NumberRange)
  case function(Function)
  indirect case object(any ScriptObject)

  /// Beyond this, numbers are not integers any more but multiples: 2⁵³.
  public static let largestInteger = 9_007_199_254_740_992.0

  /// What an integer may be.
  public static let integers = -largestInteger...largestInteger

  /// How its kind is called in messages.
  public var typeName: String {
    switch self {
    case .none: "none"
    case .bool: "truth value"
    case .number: "number"
    case .string: "string"
    case .list: "list"
    case .record: "record"
    case .range: "range"
    case .function: "function"
    case .object(let object): object.typeName
    }
  }

  /// The number that it is, or works as.
  public var asNumber: Double? {
    switch self {
    case .number(let number): number
    case .object(let object): object.number
    default: nil
    }
  }

  /// The same with a plain number for each object that works as one.
  var plain: Value {
    switch self {
    case .object(let object): return object.number.map(Value.number) ?? self
    case .list(let list) where list.elements.contains(where: \.holdsNumberObject): return .list(list.elements.map(\.plain))
    case .record(let record) where record.values.contains(where: \.holdsNumberObject):
      return .record(Record(names: record.names, values: record.values.map(\.plain)))
    default: return self
    }
  }

  /// Whether it is an object that works as a number.
  var isNumberObject: Bool { if case .object(let object) = self { object.number != nil } else { false } }

  private var holdsNumberObject: Bool {
    switch self {
    case .object: isNumberObject
    case .list(let list): list.elements.contains(where: \.holdsNumberObject)
    case .record(let record): record.values.contains(where: \.holdsNumberObject)
    default: false
    }
  }

  /// A list of values that are known to be few and shallow.
  public static func list(_ elements: [Value]) -> Value { .list(List(elements)) }
  public static func list(_ numbers: [Double]) -> Value { .list(List(numbers.map(Value.number))) }
  public static func list(_ strings: [String]) -> Value { .list(List(strings.map(Value.string))) }
  public static func record(_ fields: KeyValuePairs<String, Value>) -> Value { .record(Record(fields)) }

  /// How deep it is nested, and how many values it is made of.
  var extent: Extent {
    switch self {
    case .list(let list): list.extent
    case .record(let record): record.extent
    case .function(let function): function.extent
    default: .one
    }
  }
}

/// The limits of nesting and size that keep comparing, printing and freeing a value safe.
struct Extent: Hashable, Sendable {
  var depth: UInt16
  var weight: UInt32

  static let one = Extent(depth: 1, weight: 1)
  static let deepest = 1000
  static let heaviest = 10_000_000

  /// The extent of a value that holds others.
  static func around(_ values: some Sequence<Value>) -> Extent {
    var depth: UInt16 = 0
    var weight: UInt64 = 1
    for value in values {
      let extent = value.extent
      if extent.depth > depth { depth = extent.depth }
      weight += UInt64(extent.weight)
    }
    return Extent(depth: depth == .max ? depth : depth + 1, weight: UInt32(clamping: weight))
  }

  /// The extent of a list after the elements of another were added to it.
  func appending(_ other: Extent) -> Extent {
    Extent(
      depth: max(depth, other.depth), weight: UInt32(clamping: UInt64(weight) + UInt64(other.weight) - 1))
  }

  /// Refuses a list of too many elements before it is made.
  static func checkCount(_ count: Int, at span: @autoclosure () -> Span) throws(ScriptError) {
    if count > heaviest { throw .tooLarge("number of elements of a value", limit: heaviest, at: span()) }
  }

  func check(at span: @autoclosure () -> Span) throws(ScriptError) {
    if Int(depth) > Self.deepest { throw .tooLarge("nesting of a value", limit: Self.deepest, at: span()) }
    if Int(weight) > Self.heaviest {
      throw .tooLarge("number of elements of a value", limit: Self.heaviest, at: span())
    }
  }
}

/// A list of values.
public struct List: Sendable {
  public private(set) var elements: [Value]
  private(set) var extent: Extent

  public init(_ elements: [Value]) {
    self.elements = elements
    extent = .around(elements)
  }

  /// Adds values at the end, without looking at those that are there.
  mutating func append(contentsOf other: List) {
    elements.append(contentsOf: other.elements)
    extent = extent.appending(other.extent)
  }
}

/// The numbers from one to another, in steps of 1; `1...10` has ten, `0..<10` too.
public struct NumberRange: Hashable, Sendable {
  public let lower, upper: Double
  /// The bound behind the last number, where it is written so: 10 of `0..<10`.
  let end: Double?

  /// Makes the range from one number to another, both included.
  public init(_ lower: Double, _ upper: Double) { (self.lower, self.upper, end) = (lower, upper, nil) }

  /// Makes the range up to a number that is not included.
  public init(_ lower: Double, upTo end: Double) {
    (self.lower, self.end) = (lower, end)
    upper = lower + max(0, (end - lower).rounded(.up)) - 1
  }

  /// Whether both run through the same numbers.
  public static func == (a: NumberRange, b: NumberRange) -> Bool { a.lower == b.lower && a.upper == b.upper }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(lower)
    hasher.combine(upper)
  }

  /// How many numbers it runs through.
  public var count: Int {
    guard upper >= lower else { return 0 }
    return Int(exactly: (upper - lower).rounded(.down) + 1) ?? Int.max
  }
}

/// A function as a value: one of the script's, with the values it captured, or a builtin.
public final class Function: Sendable {
  enum Kind: Sendable {
    case script(FunctionCode, Surroundings)
    case builtin(Builtin)
  }
  let kind: Kind
  let extent: Extent

  init(_ code: FunctionCode, _ surroundings: Surroundings) {
    kind = .script(code, surroundings)
    extent = .around(surroundings.values)
  }
  public init(_ builtin: Builtin) {
    kind = .builtin(builtin)
    extent = .one
  }

  public var name: String {
    switch kind {
    case .script(let code, _): code.name
    case .builtin(let builtin): builtin.name
    }
  }

  /// Whether both were made by the same piece of the script at the same time, or are the same built-in.
  func isSame(as other: Function) -> Bool {
    switch (kind, other.kind) {
    case (.script(let a, let kept), .script(let b, let otherKept)): a === b && kept === otherKept
    case (.builtin(let a), .builtin(let b)): a.name == b.name
    default: false
    }
  }

  public var parameterNames: [String] {
    switch kind {
    case .script(let code, _): code.parameters.map(\.name)
    case .builtin(let builtin): builtin.parameters.map(\.label)
    }
  }
}

extension Value: Equatable {
  /// Whether two values are equal, element by element. Functions are equal to themselves only; `nan` to nothing.
  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.none, .none): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.number(let a), .number(let b)): return a == b
    case (.string(let a), .string(let b)): return a == b
    case (.range(let a), .range(let b)): return a == b
    case (.list(let a), .list(let b)): return a.extent == b.extent && a.elements == b.elements
    case (.record(let a), .record(let b)):
      return a.count == b.count && a.extent == b.extent
        && (a.names == b.names ? a.values == b.values : a.fields.allSatisfy { b[$0] == $1 })
    case (.function(let a), .function(let b)): return a.isSame(as: b)
    case (.object(let a), .object(let b)):
      if let a = a.number, let b = b.number { return a == b }
      return a.isEqual(to: b)
    case (.object(let object), .number(let number)), (.number(let number), .object(let object)): return object.number == number
    default: return false
    }
  }
}
