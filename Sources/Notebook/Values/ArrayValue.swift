internal import Script
internal import Tensors

/// An array of 32-bit numbers in the language.
struct ArrayValue: ScriptObject, Equatable {
  let array: Tensor

  static let type = ObjectType(
    "array", "An array of float32 numbers. It also works as the list of its rows.",
    fields: [
      .init("shape", .list(of: .integer), "Size of each dimension."),
      .init("count", .integer, "Number of elements."),
      .init("values", .list(of: .number), "All numbers as one list, row by row."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "shape": .shape(array.shape)
    case "count": .count(array.count)
    case "values": .list(array.elements.map(Double.init))
    default: nil
    }
  }

  /// Its numbers where it has one axis, else its slices along the first; a scalar has none.
  var elements: [Value]? {
    guard array.shape.rank > 0 else { return nil }
    let shape = array.shape.sample
    if array.shape.rank == 1 { return array.elements.map { .number(Double($0)) } }
    let size = shape.elementCount
    return array.withUnsafeElements { all in
      (0..<array.shape[0]).compactMap { index in
        let rows = UnsafeBufferPointer(rebasing: all[index * size..<(index + 1) * size])
        return (try? Tensor(rows, shape: shape)).map { .object(ArrayValue(array: $0)) }
      }
    }
  }

  var summary: String { "array \(array.shape)" }

  /// The numbers in brackets; of a long axis the first and the last three.
  var text: String {
    if array.shape.rank > 4 { return summary }
    return array.withUnsafeElements { numbers in
      summary + "\n" + Self.rows(numbers, array.shape.extents, indent: "")
    }
  }

  private static let mostShown = 8
  private static let shownAtEnds = 3

  private static func rows(_ numbers: UnsafeBufferPointer<Float>, _ extents: [Int], indent: String) -> String {
    guard let extent = extents.first else { return NumberText.short(Double(numbers[0])) }
    let size = extents.dropFirst().reduce(1, *)
    let isInnermost = extents.count == 1
    var parts: [String] = []
    for index in 0..<extent {
      if extent > mostShown, index == shownAtEnds { parts.append("…") }
      if extent > mostShown, (shownAtEnds..<extent - shownAtEnds).contains(index) { continue }
      let part = UnsafeBufferPointer(rebasing: numbers[index * size..<(index + 1) * size])
      parts.append(rows(part, Array(extents.dropFirst()), indent: indent + " "))
    }
    return "[" + parts.joined(separator: isInnermost ? ", " : "\n\(indent) ") + "]"
  }
}
