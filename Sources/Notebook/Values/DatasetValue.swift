internal import Datasets
internal import Script
internal import Tensors

/// A dataset in the language.
struct DatasetValue: ScriptObject {
  let data: Dataset

  static let type = ObjectType(
    "dataset", "Labelled images: a training set and a validation set.",
    fields: [
      .init("name", .string, "Name."),
      .init("classes", .integer, "Number of classes."),
      .init("classNames", .list(of: .string), "Names of the classes, in the order of their labels."),
      .init("train", .integer, "Size of the training set."),
      .init("validation", .integer, "Size of the validation set."),
      .init("shape", .list(of: .integer), "Shape of a training image: channels, height, width."),
      .init("testShape", .list(of: .integer), "Shape of a validation image."),
      .init("mean", .list(of: .number), "Mean of each channel that normalization subtracts; white is 1."),
      .init("std", .list(of: .number), "Standard deviation of each channel that normalization divides by."),
    ])

  var typeName: String { Self.type.name }
  var fieldNames: [String] { Self.type.fields.map(\.name) }

  func field(_ name: String) -> Value? {
    switch name {
    case "name": .string(data.name)
    case "classes": .count(data.classes.count)
    case "classNames": .list(data.classes)
    case "train": .count(data.train.count)
    case "validation": .count(data.validation.count)
    case "shape": .shape(data.imageShape)
    case "testShape": .shape(data.validation.imageShape)
    case "mean": .list(data.normalization.mean.map(Double.init))
    case "std": .list(data.normalization.std.map(Double.init))
    default: nil
    }
  }

  var summary: String {
    "\(data.name): \(NumberText.grouped(data.train.count)) images to train on, "
      + "\(NumberText.grouped(data.validation.count)) to measure on, \(data.classes.count) classes"
  }

  var text: String { pieces.text() }
  var pieces: [OutputPiece] {
    let names = data.classes.prefix(12).joined(separator: ", ") + (data.classes.count > 12 ? ", …" : "")
    let rows = [("train", data.train), ("validation", data.validation)].map { name, split -> [Value] in
      var sizes = [Int](repeating: 0, count: data.classes.count)
      for label in split.labels { sizes[label] += 1 }
      let (least, most) = (sizes.min() ?? 0, sizes.max() ?? 0)
      return [
        .string(name), .count(split.count), .string(least == most ? "\(most)" : "\(least) to \(most)"),
      ]
    }
    return [
      .text("\(data.name), images of \(shapes)"), .table(Table(columns: ["part", "images", "in each class"], rows: rows)),
      .text("\(data.classes.count) classes: \(names)"),
    ]
  }

  private var shapes: String {
    let (train, test) = (data.imageShape, data.validation.imageShape)
    let sizes = train == test ? "\(train)" : "\(train) to train on, \(test) to measure on"
    guard let transform = data.transform else { return sizes }
    return sizes + ": the shorter side scaled to \(transform.edge(for: test[1])) pixels (\(transform.filter.rawValue)), its middle"
  }

  /// Equal where all that is known without reading the images is.
  func isEqual(to other: any ScriptObject) -> Bool {
    guard let other = (other as? Self)?.data else { return false }
    return data.name == other.name && data.classes == other.classes && data.normalization == other.normalization
      && data.imageShape == other.imageShape
      && data.validation.imageShape == other.validation.imageShape && data.transform == other.transform && data.train.labels == other.train.labels
      && data.validation.labels == other.validation.labels
  }
}
