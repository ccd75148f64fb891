/// Names and values, in the order they were written.
///
/// A record of many fields finds a name by a table, and one that nothing else holds is changed in place: so a record may
/// serve as a map of many entries.
public struct Record: Sendable {
  private final class Storage: @unchecked Sendable {  // Sendable: changed only where a single record holds it
    var names: [String]
    var values: [Value]
    var extent: Extent
    /// The place of each name; nil for few names, which are found faster one after the other.
    var places: [String: Int]?

    init(_ names: [String], _ values: [Value], _ extent: Extent, _ places: [String: Int]?) {
      (self.names, self.values, self.extent, self.places) = (names, values, extent, places)
    }
  }
  private var storage: Storage

  /// From how many names on a table finds them.
  private static let manyNames = 16

  /// Makes a record of names that differ.
  init(names: [String], values: [Value]) {
    var places: [String: Int]?
    if names.count >= Self.manyNames {
      places = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
    storage = Storage(names, values, .around(values), places)
  }

  public init(_ fields: KeyValuePairs<String, Value>) {
    self.init(names: fields.map(\.key), values: fields.map(\.value))
  }

  /// Makes a record; of a name that is given twice the last value counts.
  public init(_ fields: [(String, Value)]) {
    var places: [String: Int] = [:]
    var (names, values): ([String], [Value]) = ([], [])
    for (name, value) in fields {
      if let place = places[name] {
        values[place] = value
      } else {
        places[name] = names.count
        names.append(name)
        values.append(value)
      }
    }
    storage = Storage(names, values, .around(values), names.count < Self.manyNames ? nil : places)
  }

  public var names: [String] { storage.names }
  public var values: [Value] { storage.values }
  public var count: Int { names.count }
  var extent: Extent { storage.extent }
  public var fields: [(String, Value)] { Array(Swift.zip(names, values)) }

  public subscript(name: String) -> Value? { place(of: name).map { storage.values[$0] } }

  private func place(of name: String) -> Int? {
    if let places = storage.places { return places[name] }
    return storage.names.firstIndex(of: name)
  }

  /// This record with the other's fields replaced or added.
  public func merging(_ other: Record) -> Record {
    var merged = self
    merged.merge(other)
    return merged
  }

  /// Replaces or adds the other's fields, in place where no other record has the same storage.
  mutating func merge(_ other: Record) {
    if !isKnownUniquelyReferenced(&storage) {
      storage = Storage(storage.names, storage.values, storage.extent, storage.places)
    }
    let added = other.storage
    var extent = storage.extent
    var lostDepth = false
    for (name, value) in Swift.zip(added.names, added.values) {
      let new = value.extent
      var weight = UInt64(extent.weight) + UInt64(new.weight)
      if let place = place(of: name) {
        let old = storage.values[place].extent
        weight -= min(weight, UInt64(old.weight))
        lostDepth = lostDepth || (old.depth >= extent.depth - 1 && new.depth < old.depth)
        storage.values[place] = value
      } else {
        storage.places?[name] = storage.names.count
        storage.names.append(name)
        storage.values.append(value)
        if storage.places == nil, storage.names.count >= Self.manyNames {
          storage.places = Dictionary(storage.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }
      }
      extent.weight = UInt32(clamping: weight)
      extent.depth = max(extent.depth, new.depth == .max ? new.depth : new.depth + 1)
    }
    // The deepest value may be gone.
    storage.extent = lostDepth ? .around(storage.values) : extent
  }
}
