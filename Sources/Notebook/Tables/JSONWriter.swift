internal import Script

extension Value {
  /// The value as JSON on several lines. Numbers that are none are `"nan"`, `"inf"` and `"-inf"`; objects with elements are
  /// lists, and others that are no numbers are the line that describes them.
  var json: String {
    var text = ""
    writeJSON(to: &text, indentation: "")
    return text
  }

  private func writeJSON(to text: inout String, indentation: String) {
    switch self {
    case .none: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .number(let number):
      let digits = Value.text(of: number)
      text += number.isFinite ? digits : Self.jsonQuoted(digits)
    case .string(let string): text += Self.jsonQuoted(string)
    case .list(let list): Self.writeJSON(list.elements, to: &text, indentation: indentation)
    case .range(let range):
      // A list of numbers that follow each other: one without an end has no place in a file.
      let count = min(range.count, 10_000_000)
      Self.writeJSON((0..<count).map { .number(range.lower + Double($0)) }, to: &text, indentation: indentation)
    case .record(let record):
      guard record.count > 0 else { return text += "{}" }
      let inner = indentation + "  "
      text += "{\n"
      for (index, field) in record.fields.enumerated() {
        text += "\(inner)\(Self.jsonQuoted(field.0)): "
        field.1.writeJSON(to: &text, indentation: inner)
        text += index < record.count - 1 ? ",\n" : "\n"
      }
      text += "\(indentation)}"
    case .function(let function): text += Self.jsonQuoted("function \(function.name)")
    case .object(let object):
      if let number = object.number { return Value.number(number).writeJSON(to: &text, indentation: indentation) }
      if let elements = object.elements { return Self.writeJSON(elements, to: &text, indentation: indentation) }
      if let row = object.row { return Value.record(row).writeJSON(to: &text, indentation: indentation) }
      text += Self.jsonQuoted(object.summary)
    }
  }

  /// Lists of plain values stand on one line.
  private static func writeJSON(_ elements: [Value], to text: inout String, indentation: String) {
    let isPlain = elements.allSatisfy { element in
      switch element {
      case .list, .record, .object, .range: false
      default: true
      }
    }
    let inner = indentation + "  "
    text += isPlain ? "[" : "[\n"
    for (index, element) in elements.enumerated() {
      if !isPlain { text += inner }
      element.writeJSON(to: &text, indentation: inner)
      if index < elements.count - 1 { text += isPlain ? ", " : "," }
      if !isPlain { text += "\n" }
    }
    text += isPlain ? "]" : "\(indentation)]"
  }

  private static func jsonQuoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }
}
