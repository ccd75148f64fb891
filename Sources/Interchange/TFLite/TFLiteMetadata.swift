internal import Networks
internal import Tensors

extension TFLiteModel {
  /// Adds what tools look for beside the graph: the oldest runtime that will do, and the description of input and output
  /// in the form of TensorFlow Lite's metadata, which names the file of the classes' names.
  mutating func describe(_ description: ModelDescription, of network: Network) throws(TensorError) {
    let oldest = operators.map { $0.runtime(in: self) }.max { $0.lexicographicallyPrecedes($1) } ?? [1, 5, 0]
    // The version in 16 bytes, zeros at the end.
    let version = Array(oldest.map(String.init).joined(separator: ".").utf8)
    metadata.append(
      Metadata(name: "min_runtime_version", data: (version + [UInt8](repeating: 0, count: 16 - version.count))[...]))
    metadata.append(Metadata(name: "TFLITE_METADATA", data: try Self.card(description, of: network)[...]))
    metadata.append(
      Metadata(name: "producer", data: Array("\(ModelDescription.producer) \(description.producerVersion)".utf8)[...]))
  }

  /// Where the names of the classes lie: metadata has its files behind the model, as a zip archive.
  private static let labelFile = "labels.txt"

  /// The archive of the files that the metadata names, to stand behind a model; empty where it names none.
  /// - Parameter offset: where it will stand. Bytes.
  static func files(_ description: ModelDescription, at offset: Int) -> [UInt8] {
    guard !description.classes.isEmpty else { return [] }
    // A class is a line.
    let lines = description.classes.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
    return ZipArchive.stored([(labelFile, Array((lines.joined(separator: "\n") + "\n").utf8))], at: offset)
  }

  /// A table ModelMetadata of the published schema (tflite-support, metadata_schema.fbs): how images become the
  /// network's input, and what its answer is.
  private static func card(_ description: ModelDescription, of network: Network) throws(TensorError) -> [UInt8] {
    let file = try FlatBufferWriter(byteCount: 1 << 12)
    let input = network.shape(of: network.input)
    var properties: FlatBufferWriter.Place?
    if input.rank == 3 {
      // Of the union of contents, an image is the second; RGB is 1, grey 2.
      let image = file.table([0: .byte(input[0] == 3 ? 1 : input[0] == 1 ? 2 : 0)])
      properties = file.table([0: .byte(2), 1: .place(image)])
    }
    var units: FlatBufferWriter.Place?
    if !description.mean.isEmpty {
      // Theirs is of bytes 0 to 255, ours of 0 to 1.
      let options = file.table([
        0: .place(file.floats(description.mean.map { 255 * $0 })),
        1: .place(file.floats(description.std.map { 255 * $0 })),
      ])
      units = file.places([file.table([0: .byte(1), 1: .place(options)])])
    }
    let inputCard = file.table([
      0: .place(file.text(network[network.input].name)), 3: properties.map { .place($0) }, 4: units.map { .place($0) },
    ])
    var files: FlatBufferWriter.Place?
    if !description.classes.isEmpty {
      // Of the kinds of files, 2 names the places along an axis.
      files = file.places([file.table([0: .place(file.text(Self.labelFile)), 2: .byte(2)])])
    }
    let outputCard = file.table([
      0: .place(file.text(network[network.output].name)), 1: .place(file.text("logits, one for each class")),
      6: files.map { .place($0) },
    ])
    let graph = file.table([2: .place(file.places([inputCard])), 3: .place(file.places([outputCard]))])
    let model = file.table([
      0: .place(file.text(network.name)),
      1: .place(file.text("Written by \(ModelDescription.producer) \(description.producerVersion).")),
      3: .place(file.places([graph])), 7: .place(file.text("1.0.0")),
    ])
    return try file.finish(model, identifier: "M001")
  }
}
