/// All that a script finds there from the beginning.
public struct Library: Sendable {
  /// In the order of the reference.
  public let builtins: [Builtin]
  public let constants: [Constant]
  public let objectTypes: [ObjectType]
  /// Words of earlier releases.
  public let retired: [RetiredWord]
  /// Tables at the end of the reference.
  public let tables: [ReferenceTable]
  private let builtinPlaces: [String: Int]
  private let constantPlaces: [String: Int]
  private let typePlaces: [String: Int]

  /// Makes a library of the language's own builtins and those of other modules.
  public init(builtins: [Builtin] = [], constants: [Constant] = [], objectTypes: [ObjectType] = [], retired: [RetiredWord] = [], tables: [ReferenceTable] = []) {
    self.builtins = languageBuiltins + builtins
    self.constants = languageConstants + constants
    self.objectTypes = objectTypes + [progressType]
    self.retired = retired
    self.tables = tables
    builtinPlaces = Self.places(self.builtins.map(\.name), "builtin")
    constantPlaces = Self.places(self.constants.map(\.name), "constant")
    typePlaces = Self.places(self.objectTypes.map(\.name), "type")
  }

  private static func places(_ names: [String], _ kind: String) -> [String: Int] {
    Dictionary(names.enumerated().map { ($1, $0) }) { _, _ in preconditionFailure("a \(kind) is declared twice") }
  }

  public func builtin(_ name: String) -> Builtin? { builtinPlaces[name].map { builtins[$0] } }
  public func constant(_ name: String) -> Constant? { constantPlaces[name].map { constants[$0] } }
  public func objectType(_ name: String) -> ObjectType? { typePlaces[name].map { objectTypes[$0] } }
  public var names: [String] { builtins.map(\.name) + constants.map(\.name) }
}
