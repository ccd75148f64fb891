internal import Foundation

/// JSON with sorted keys, so that equal values are equal texts; numbers that are none are texts.
package enum JSONText {
  /// - Parameter isPretty: Whether each field stands on a line of its own.
  package static func of(_ value: some Encodable, isPretty: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { preconditionFailure("strings and numbers are JSON") }
    return String(decoding: data, as: UTF8.self)
  }

  static func read<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(type, from: Data(text.utf8))
  }

  /// Every leaf of a document, by its path: `plan.learningRate`.
  static func leaves(_ text: String) -> [String: String] {
    guard let root = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) else { return [:] }
    var leaves: [String: String] = [:]
    func walk(_ value: Any, _ path: String) {
      switch value {
      case let fields as [String: Any]:
        if fields.isEmpty { leaves[path] = "{}" }
        for (name, field) in fields { walk(field, path.isEmpty ? name : "\(path).\(name)") }
      case let list as [Any]:
        if list.isEmpty { leaves[path] = "[]" }
        for (index, element) in list.enumerated() { walk(element, "\(path)[\(index)]") }
      default: leaves[path] = "\(value)"
      }
    }
    walk(root, "")
    return leaves
  }
}
