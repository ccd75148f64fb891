internal import Tensors

extension TFLiteModel {
  /// Reads a .tflite file of the kind that is written here: one graph, of the operators above.
  package init(reading bytes: [UInt8]) throws(Problem) {
    let root = try FlatTable(rootOf: bytes, identifier: Self.identifier)
    guard try root.number(0) == Self.schemaVersion else { throw Problem("it has another version") }
    let graphs = try root.tables(2)
    guard graphs.count == 1 else { throw Problem("it has \(graphs.count) graphs") }
    let graph = graphs[0]
    name = try root.text(3)

    let buffers = try root.tables(4).map { buffer throws(Problem) in try buffer.bytes(0) }
    guard let first = buffers.first, first == nil else { throw Problem("its first buffer is not empty") }
    func buffer(_ number: Int32) throws(Problem) -> ArraySlice<UInt8> {
      guard buffers.indices.contains(Int(number)), let data = buffers[Int(number)] else {
        throw Problem("there is no buffer \(number)")
      }
      guard data.startIndex % 16 == 0 else { throw Problem("buffer \(number) begins at no multiple of 16") }
      return data
    }

    tensors = try graph.tables(0).map { table throws(Problem) in
      guard let element = Element(rawValue: try table.number(1)) else { throw Problem("a tensor has an unknown type") }
      let number: Int32 = try table.number(2)
      let (shape, signature): ([Int32], [Int32]) = (try table.numbers(0), try table.numbers(7))
      guard signature.isEmpty || signature == [-1] + shape.dropFirst() else {
        throw Problem("a tensor has the shape \(shape) and \(signature)")
      }
      let quantization = try table.table(4).map { table throws(Problem) in
        Quantization(scales: try table.floats(2), zeroPoints: try table.numbers(3), axis: try table.number(6))
      }
      return Tensor(
        name: try table.text(3), shape: shape, element: element, hasOpenBatch: !signature.isEmpty,
        data: number == 0 ? nil : try buffer(number), quantization: quantization)
    }
    (inputs, outputs) = (try graph.numbers(1), try graph.numbers(2))

    let codes = try root.tables(1).map { table throws(Problem) in
      let (old, new): (Int8, Int32) = (try table.number(0), try table.number(3))
      guard let code = Code(rawValue: new), Int32(old) == new else { throw Problem("it has an unknown operator") }
      return Operator.Versioned(code: code, version: try table.number(2, default: 1))
    }
    operators = try graph.tables(3).map { table throws(Problem) in
      let index: Int32 = try table.number(0)
      guard codes.indices.contains(Int(index)) else { throw Problem("there is no operator code \(index)") }
      guard let kind = Options.Kind(rawValue: try table.number(3)) else { throw Problem("it has unknown options") }
      return Operator(
        code: codes[Int(index)].code, version: codes[Int(index)].version,
        options: try Options(kind, reading: try table.table(4)), inputs: try table.numbers(1),
        outputs: try table.numbers(2))
    }
    metadata = try root.tables(6).map { table throws(Problem) in
      Metadata(name: try table.text(0), data: try buffer(try table.number(1)))
    }
  }
}

extension TFLiteModel.Options {
  fileprivate init(_ kind: Kind, reading table: FlatTable?) throws(Problem) {
    var values: [Field: Int32] = [:]
    for (slot, column) in kind.columns.enumerated() {
      guard let table else { throw Problem("an operator has no options") }
      if column.isByte {
        values[column.field] = Int32(try table.number(slot, default: Int8(column.standard)))
      } else {
        values[column.field] = try table.number(slot, default: column.standard)
      }
    }
    self.init(kind, values)
  }
}
