package import Tensors

extension TFLiteModel {
  /// The model as a .tflite file.
  package func bytes() throws(TensorError) -> [UInt8] {
    let data = tensors.compactMap(\.data) + metadata.map(\.data)
    let file = try FlatBufferWriter(byteCount: data.reduce(1 << 16) { $0 + $1.count + 256 })

    // Buffer 0 is empty, as the schema has it: the buffer of tensors that have no data.
    let buffers = [file.table([:])] + data.map { file.table([0: .place(file.bytes($0))]) }
    var nextBuffer: Int32 = 0
    func takeBuffer() -> Int32 {
      nextBuffer += 1
      return nextBuffer
    }

    let tensorPlaces = tensors.map { tensor in
      let signature = tensor.hasOpenBatch ? file.ints([-1] + tensor.shape.dropFirst()) : nil
      return file.table([
        0: .place(file.ints(tensor.shape)), 1: .byte(tensor.element.rawValue),
        2: .int(tensor.data == nil ? 0 : takeBuffer()), 3: .place(file.text(tensor.name)),
        4: tensor.quantization.map { .place($0.write(to: file)) }, 7: signature.map { .place($0) },
      ])
    }

    // Operators name their code by its place in a list without repetitions.
    var codes: [Operator.Versioned] = []
    let operatorPlaces = operators.map { step in
      let code = Operator.Versioned(code: step.code, version: step.version)
      let index = codes.firstIndex(of: code) ?? codes.count
      if index == codes.count { codes.append(code) }
      let (inputs, outputs) = (file.ints(step.inputs), file.ints(step.outputs))
      let options = step.options.kind == .none ? nil : step.options.write(to: file)
      return file.table([
        0: .int(Int32(index)), 1: .place(inputs), 2: .place(outputs), 3: .byte(Int8(step.options.kind.rawValue)),
        4: options.map { .place($0) },
      ])
    }
    let graph = file.table([
      0: .place(file.places(tensorPlaces)), 1: .place(file.ints(inputs)), 2: .place(file.ints(outputs)),
      3: .place(file.places(operatorPlaces)), 4: .place(file.text("main")),
    ])
    let codePlaces = codes.map { code in
      // Both fields: older readers know the first only, and codes below 127 go into both.
      file.table([0: .byte(Int8(code.code.rawValue)), 2: .int(code.version, standard: 1), 3: .int(code.code.rawValue)])
    }
    let metadataPlaces = metadata.map { entry in
      file.table([0: .place(file.text(entry.name)), 1: .int(takeBuffer())])
    }
    // What callers ask for by name.
    func named(_ places: [Int32]) -> FlatBufferWriter.Place {
      file.places(
        places.map { i in file.table([0: .place(file.text(tensors[Int(i)].name)), 1: .int(i)]) })
    }
    let signature = file.table([
      0: .place(named(inputs)), 1: .place(named(outputs)), 2: .place(file.text("serving_default")),
    ])
    let root = file.table([
      0: .int(Self.schemaVersion), 1: .place(file.places(codePlaces)), 2: .place(file.places([graph])),
      3: .place(file.text(name)), 4: .place(file.places(buffers)),
      6: .place(file.places(metadataPlaces)), 7: .place(file.places([signature])),
    ])
    return try file.finish(root, identifier: Self.identifier)
  }
}

extension TFLiteModel.Operator {
  /// What the list of a file's operator codes holds.
  struct Versioned: Hashable {
    let code: TFLiteModel.Code
    let version: Int32
  }
}

extension TFLiteModel.Options {
  fileprivate func write(to file: FlatBufferWriter) -> FlatBufferWriter.Place {
    file.table(
      kind.columns.enumerated().map { slot, column in
        let value = self[column.field]
        return (
          UInt16(slot),
          column.isByte
            ? .byte(Int8(value), standard: Int8(column.standard)) : .int(value, standard: column.standard)
        )
      })
  }
}

extension TFLiteModel.Quantization {
  fileprivate func write(to file: FlatBufferWriter) -> FlatBufferWriter.Place {
    let (scales, zeroPoints) = (file.floats(scales), file.longs(zeroPoints))
    return file.table([2: .place(scales), 3: .place(zeroPoints), 6: .int(axis)])
  }
}
