import Tensors

extension Network: CustomStringConvertible {
  /// One line: `resnet50: 3 x 224 x 224 to 1000, 25,557,032 parameters, 4,089,184,256 MACs`.
  public var description: String {
    "\(name): \(shape(of: input)) to \(shape(of: output)), \(parameterCount.grouped) parameters, "
      + "\(macs.grouped) MACs"
  }

  /// The layers as a table: name, operation, shape of one sample of the output, trainable parameters, MACs;
  /// then the totals, and what the parameters take in memory.
  public var table: String {
    tableLines.map(\.text).joined(separator: "\n") + "\n\(sizeLine)\n"
  }

  /// The lines of the table, the head first and the totals last: their cells, and how they look as text.
  package var tableLines: [(cells: [String], text: String)] {
    var rows = [
      Row(layer: name, operation: "operation", output: "output", parameters: "parameters", work: "MACs")
    ]
    for node in nodes {
      let (layer, inputs) = (self[node], inputShapes(of: node))
      let rules = layer.operation.rules
      let parameters = rules.parameters(of: inputs).reduce(0) { $0 + ($1.isTrainable ? $1.shape.elementCount : 0) }
      rows.append(
        Row(
          layer: layer.name, operation: rules.summary, output: layer.shape.description,
          parameters: parameters == 0 ? "" : parameters.grouped,
          work: rules.macs(of: inputs) == 0 ? "" : rules.macs(of: inputs).grouped))
    }
    rows.append(
      Row(
        layer: "total", operation: "", output: "", parameters: parameterCount.grouped, work: macs.grouped))

    let widths = rows.reduce(into: Row.Widths()) { $0.fit($1) }
    let rule = String(repeating: "-", count: widths.total)
    return rows.indices.map { index in
      var text = rows[index].line(widths)
      if index == 0 { text += "\n" + rule }
      if index == rows.count - 1 { text = rule + "\n" + text }
      return (rows[index].cells, text)
    }
  }

  /// `102.23 MB (97.49 MiB) of parameters at 4 bytes each`.
  package var sizeLine: String {
    let bytes = 4 * parameterCount
    return "\(bytes.hundredths(of: 1_000_000)) MB (\(bytes.hundredths(of: 1 << 20)) MiB) of parameters at 4 bytes each"
  }
}

private struct Row {
  var layer, operation, output, parameters, work: String
  var cells: [String] { [layer, operation, output, parameters, work] }

  struct Widths {
    var layer = 0
    var operation = 0
    var output = 0
    var parameters = 0
    var work = 0
    var total: Int { layer + operation + output + parameters + work + 8 }
    mutating func fit(_ row: Row) {
      layer = max(layer, row.layer.count)
      operation = max(operation, row.operation.count)
      output = max(output, row.output.count)
      parameters = max(parameters, row.parameters.count)
      work = max(work, row.work.count)
    }
  }

  /// Words to the left, numbers to the right, two spaces between; no spaces at the end.
  func line(_ widths: Widths) -> String {
    let columns = [
      layer.padded(to: widths.layer), operation.padded(to: widths.operation), output.padded(to: widths.output),
      parameters.padded(to: widths.parameters, atStart: true), work.padded(to: widths.work, atStart: true),
    ]
    let line = columns.joined(separator: "  ")
    return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
  }
}

extension String {
  fileprivate func padded(to width: Int, atStart: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(width - count, 0))
    return atStart ? spaces + self : self + spaces
  }
}

extension Int {
  /// With separators between thousands: `25,557,032`.
  package var grouped: String {
    var digits = String(magnitude)
    var place = digits.endIndex
    while digits.formIndex(&place, offsetBy: -3, limitedBy: digits.startIndex), place != digits.startIndex {
      digits.insert(",", at: place)
    }
    return self < 0 ? "-\(digits)" : digits
  }

  /// This many units, rounded to hundredths: `97.49`.
  fileprivate func hundredths(of unit: Int) -> String {
    let hundredths = (self * 100 + unit / 2) / unit
    let rest = hundredths % 100
    return "\((hundredths / 100).grouped).\(rest < 10 ? "0" : "")\(rest)"
  }
}
