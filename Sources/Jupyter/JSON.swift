internal import Tensors

/// A JSON value.
public enum JSON: Hashable, Sendable {
  case null, bool(Bool), integer(Int), number(Double), string(String), array([JSON]), object([String: JSON])

  public subscript(name: String) -> JSON? {
    if case .object(let fields) = self { fields[name] } else { nil }
  }
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  public var object: [String: JSON]? { if case .object(let fields) = self { fields } else { nil } }

  /// - Returns: nil where the bytes are no JSON.
  public init?(_ bytes: some Sequence<UInt8>) {
    guard let value = JSONText.read(JSON.self, bytes) else { return nil }
    self = value
  }

  /// The text, with sorted keys.
  /// - Parameter isPretty: Whether each field stands on a line of its own.
  public func bytes(isPretty: Bool = false) -> [UInt8] {
    Array(JSONText.of(self, isPretty: isPretty).utf8)
  }
}

extension JSON: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() { self = .null }
    else if let value = try? container.decode(Bool.self) { self = .bool(value) }
    // Before numbers: the text "nan" stays text.
    else if let value = try? container.decode(String.self) { self = .string(value) }
    else if let value = try? container.decode(Int.self) { self = .integer(value) }
    else if let value = try? container.decode(Double.self) { self = .number(value) }
    else if let value = try? container.decode([JSON].self) { self = .array(value) }
    else { self = .object(try container.decode([String: JSON].self)) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let fields): try container.encode(fields)
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(elements) { $1 }) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
}
