internal import CFlatBuffers
internal import Tensors

/// A FlatBuffer that is being written: what a table refers to comes before the table.
final class FlatBufferWriter {
  /// Where something lies that was written; counted from the file's end.
  struct Place: Hashable {
    fileprivate let value: UInt32
  }
  /// A field of a table. Numbers that equal their default take no room.
  enum Field {
    case byte(Int8, standard: Int8 = 0)
    case int(Int32, standard: Int32 = 0)
    case place(Place)
  }

  private let builder: OpaquePointer

  /// - Parameter byteCount: what the file will take, about.
  init(byteCount: Int) throws(TensorError) {
    guard let builder = cflat_make(byteCount) else { throw .outOfMemory(byteCount: byteCount) }
    self.builder = builder
  }

  deinit { cflat_free(builder) }

  func text(_ text: String) -> Place {
    var text = text
    return text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { Place(value: cflat_string(builder, $0.baseAddress, $0.count)) }
    }
  }
  func bytes(_ bytes: ArraySlice<UInt8>) -> Place {
    bytes.withUnsafeBufferPointer { Place(value: cflat_bytes(builder, $0.baseAddress, $0.count)) }
  }
  func ints(_ numbers: [Int32]) -> Place { Place(value: cflat_ints(builder, numbers, numbers.count)) }
  func longs(_ numbers: [Int64]) -> Place { Place(value: cflat_longs(builder, numbers, numbers.count)) }
  func floats(_ numbers: [Float]) -> Place { Place(value: cflat_floats(builder, numbers, numbers.count)) }
  func places(_ places: [Place]) -> Place {
    let values = places.map(\.value)
    return Place(value: cflat_places(builder, values, values.count))
  }

  /// Writes a table from its fields by their slots; nil for those that it does not have.
  func table(_ fields: KeyValuePairs<UInt16, Field?>) -> Place { table(fields.map { ($0.key, $0.value) }) }

  func table(_ fields: [(slot: UInt16, field: Field?)]) -> Place {
    let begin = cflat_begin_table(builder)
    for (slot, field) in fields {
      switch field {
      case .byte(let number, let standard): cflat_add_byte(builder, slot, number, standard)
      case .int(let number, let standard): cflat_add_int(builder, slot, number, standard)
      case .place(let place): cflat_add_place(builder, slot, place.value)
      case nil: break
      }
    }
    return Place(value: cflat_end_table(builder, begin))
  }

  /// Ends the file with its root.
  /// - Parameter identifier: Four letters.
  /// - Returns: the file's contents.
  func finish(_ root: Place, identifier: String) throws(TensorError) -> [UInt8] {
    cflat_finish(builder, root.value, identifier)
    var count = 0
    guard let contents = cflat_contents(builder, &count) else { throw .outOfMemory(byteCount: count) }
    return Array(UnsafeBufferPointer(start: contents, count: count))
  }
}
