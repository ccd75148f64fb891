/// A value that another module brings into the language: a dataset, a model, a run, a chart.
///
/// Laws: `field` answers every name in `fieldNames` and no other; `typeName` is the name of an `ObjectType` of the
/// library, and is the same for all instances of a type. An object that is a number too has no fields.
public protocol ScriptObject: Sendable {
  /// What it is called in messages and matched against `.object("…")`.
  var typeName: String { get }
  var fieldNames: [String] { get }
  /// The value of a field, or nil where there is none of that name.
  func field(_ name: String) throws -> Value?
  /// One line, for lists of values.
  var summary: String { get }
  /// What the prompt shows; may have several lines.
  var text: String { get }
  /// `text` in parts, where some of them are tables.
  var pieces: [OutputPiece] { get }
  /// What it runs through where a list is wanted: `for`, `len`, indexing; nil where it has no elements.
  var elements: [Value]? { get }
  /// What a table or a file shows of it, where that is a row of facts: a list of such objects is a table.
  var row: Record? { get }
  /// The number that it works as wherever one is wanted, such as an accuracy that knows of how many images it is; nil where
  /// it is no number. The `typeName` of one that is, is "number".
  var number: Double? { get }
  /// What dividing it, a number, by another such object gives, where that is more than a number.
  func divided(by other: any ScriptObject) -> Value?
  /// This object with some fields changed, for `object with { … }`; nil where that makes no sense.
  func with(_ changes: Record) throws -> Value?
  func isEqual(to other: any ScriptObject) -> Bool
}

extension ScriptObject {
  public var fieldNames: [String] { [] }
  public func field(_ name: String) throws -> Value? { nil }
  public var text: String { summary }
  public var pieces: [OutputPiece] { [.text(text)] }
  public var elements: [Value]? { nil }
  public var row: Record? { nil }
  public var number: Double? { nil }
  public func divided(by other: any ScriptObject) -> Value? { nil }
  public func with(_ changes: Record) throws -> Value? { nil }
  public func isEqual(to other: any ScriptObject) -> Bool { false }
}

extension ScriptObject where Self: Equatable {
  public func isEqual(to other: any ScriptObject) -> Bool { (other as? Self) == self }
}

/// What is known of a kind of object before any exists: for the checker, completion and the reference.
public struct ObjectType: Sendable {
  public struct Field: Sendable {
    public let name: String
    public let type: ValueType
    public let doc: String
    public init(_ name: String, _ type: ValueType, _ doc: String) {
      (self.name, self.type, self.doc) = (name, type, doc)
    }
  }
  public let name, doc: String
  public let fields: [Field]
  /// Whether instances may have fields that are not in the list.
  public let isOpen: Bool

  public init(_ name: String, _ doc: String, fields: [Field] = [], isOpen: Bool = false) {
    (self.name, self.doc, self.fields, self.isOpen) = (name, doc, fields, isOpen)
  }
}
