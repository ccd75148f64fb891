internal import Foundation

/// JSON with sorted keys, so that equal values are equal texts; numbers that are none are `"nan"`, `"inf"` and `"-inf"`.
package enum JSONText {
  /// - Parameter isPretty: Whether each field stands on a line of its own.
  package static func of(_ value: some Encodable, isPretty: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // What is kept is made of texts, numbers, lists and records of these, all of which are JSON.
    guard let data = try? encoder.encode(value) else { preconditionFailure("strings and numbers are JSON") }
    return String(decoding: data, as: UTF8.self)
  }

  /// - Returns: nil where the text is no such value.
  package static func read<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? { read(type, text.utf8) }

  package static func read<Value: Decodable>(_ type: Value.Type, _ utf8: some Sequence<UInt8>) -> Value? {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try? decoder.decode(type, from: Data(utf8))
  }
}
