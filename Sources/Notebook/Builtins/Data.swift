internal import Datasets
internal import Foundation
internal import Script
internal import Tensors

let trainCount = Parameter(
  "train", .integer, "How many images to train on, the first of each class; all where left out.", optional: true,
  labelled: true, allowed: 1...1e9)
let validationCount = Parameter(
  "validation", .integer, "How many images to measure on, the first of each class; all where left out.",
  optional: true, labelled: true, allowed: 1...1e9)

let exifOrientation = Parameter(
  "exifOrientation", .bool,
  "Whether images are turned and mirrored as their EXIF orientation says. torchvision and timm do not.",
  default: .bool(false), labelled: true)

extension Arguments {
  func integerIfGiven(_ label: String) throws(ScriptError) -> Int? { has(label) ? try integer(label) : nil }

  /// A dataset with as many images as the arguments `train` and `validation` say.
  func limited(_ data: Dataset) throws -> Value {
    .object(DatasetValue(data: try data.limited(train: integerIfGiven("train"), validation: integerIfGiven("validation"))))
  }

  /// The shape of an image.
  func imageShape(_ label: String) throws(ScriptError) -> Shape {
    let extents = try numbers(label)
    guard extents.count == 3, extents.allSatisfy((1...8192).contains) else {
      throw failure(
        "an image's shape is channels, height and width, each from 1 to 8192", hint: "\(label): [1, 28, 28]", at: label)
    }
    var shape: [Int] = []
    for extent in extents { shape.append(try integer(extent, at: label)) }
    return Shape(shape)
  }
}

let fashionMNIST = Builtin(
  "fashionMNIST", "Fashion-MNIST: 60,000 grey images of clothing to train on, 10,000 to measure on, ten classes.",
  parameters: [
    Parameter("path", .string, "The folder with its four files; where Debian puts it unless given.", optional: true),
    trainCount, validationCount,
  ], result: .dataset, examples: [Example("typeOf(fashionMNIST)", gives: "\"function\"")], chapter: "Data"
) { arguments in
  guard arguments.has("path") else { return try arguments.limited(try Dataset.fashionMNIST()) }
  let path = arguments.context.pathToRead(try arguments.string("path"))
  return try arguments.limited(try Dataset.fashionMNIST(at: path))
}

let cifar10 = Builtin(
  "cifar10", "CIFAR-10: 50,000 colour images to train on, 10,000 to measure on, ten classes; in its binary version.",
  parameters: [
    Parameter("path", .string, "The folder with data_batch_1.bin and the others."), trainCount, validationCount,
  ], result: .dataset, examples: [Example("typeOf(cifar10)", gives: "\"function\"")], chapter: "Data"
) { arguments in
  try arguments.limited(try Dataset.cifar10(at: arguments.context.pathToRead(try arguments.string("path"))))
}

let imageFolder = Builtin(
  "folder", "Images in a folder: one subfolder for each class, or train/ and val/ with such subfolders. The images of a class are all those below its folder, however deep, as torchvision's ImageFolder finds them; what is there and not read is told.",
  parameters: [
    Parameter("path", .string, "The folder."),
    Parameter("size", .integer, "Height and width to which images are scaled. Pixels.", default: .number(224), allowed: 8...4096),
    Parameter("channels", .integer, "1 for grey, 3 for colour.", default: .number(3), labelled: true, allowed: 1...3),
    Parameter(
      "validationShare", .number, "How much of each class is kept for evaluation where there is no val/; a training image of each stays.", default: .number(0.1),
      labelled: true, allowed: 0.001...0.999),
    exifOrientation, trainCount, validationCount,
  ], result: .dataset, examples: [Example("typeOf(folder)", gives: "\"function\"")], chapter: "Data"
) { arguments in
  let (size, context) = (try arguments.integer("size"), arguments.context)
  do {
    return try arguments.limited(
      try Dataset.imageFolder(
        at: context.pathToRead(try arguments.string("path")), height: size, width: size,
        channels: try arguments.integer("channels"), validationShare: try arguments.number("validationShare"),
        isOriented: try arguments.bool("exifOrientation"), note: { context.report($0) },
        isInterrupted: { context.isInterrupted }))
  } catch DatasetError.interrupted {
    throw ScriptError.interrupted(at: context.span)
  }
}

let synthetic = Builtin(
  "synthetic", "Striped images that need no file: the class is how steep the stripes are, and how fine.",
  parameters: [
    Parameter("classes", .integer, "How many classes.", default: .number(10), allowed: 2...64),
    Parameter(
      "shape", .list(of: .integer), "Channels, height and width of an image.", default: .list([1.0, 28, 28]), labelled: true),
    Parameter("train", .integer, "How many images to train on.", default: .number(4000), labelled: true, allowed: 1...1e7),
    Parameter(
      "validation", .integer, "How many images to measure on.", default: .number(1000), labelled: true, allowed: 1...1e7),
    Parameter(
      "noise", .number, "Its standard deviation, where black to white is 1.", default: .number(0.2), labelled: true,
      allowed: 0...10),
    Parameter("seed", .integer, "Other images for another seed.", default: .number(0), labelled: true, allowed: seedRange),
  ], result: .dataset,
  examples: [Example("synthetic(4, train: 64, validation: 32).train", gives: "64")], chapter: "Data"
) { arguments in
  let (shape, train) = (try arguments.imageShape("shape"), try arguments.integer("train"))
  let validation = try arguments.integer("validation")
  // A byte for each number.
  try MemoryCheck.require(numbers: Double(train + validation) * Double(shape.elementCount) / 4)
  return .object(
    DatasetValue(
      data: try Dataset.synthetic(
        classes: arguments.integer("classes"), shape: shape, train: train, validation: validation,
        noise: arguments.number("noise"), seed: UInt64(arguments.integer("seed")))))
}

let holdOut = Builtin(
  "holdOut",
  "A dataset that measures on images held out from those it trains on, so that choices can be made without a look at its own validation set.",
  parameters: [
    Parameter("data", .dataset, "The dataset; its validation set is not used."),
    Parameter(
      "count", .integer, "How many images are held out, drawn in proportion to the classes.", allowed: 1...1e9),
    trainCount,
    Parameter(
      "seed", .integer, "Other images for another seed.", default: .number(1), labelled: true, allowed: seedRange),
  ], result: .dataset,
  examples: [Example("holdOut(synthetic(4, train: 64, validation: 32), 16).train", gives: "48")], chapter: "Data"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let result = try data.holdingOut(arguments.integer("count"), seed: UInt64(arguments.integer("seed")))
  return .object(DatasetValue(data: try result.limited(train: arguments.integerIfGiven("train"))))
}

let images = Builtin(
  "images", "The first images of a dataset as a network sees them: an array N x C x H x W.",
  parameters: [
    Parameter("data", .dataset, "The dataset."),
    Parameter("count", .integer, "How many.", default: .number(1), allowed: 1...100_000),
    Parameter(
      "on", .oneOf(["train", "validation"]), "Which part.", default: .string("validation"), labelled: true),
  ], result: .array,
  examples: [Example("images(synthetic(4, train: 8, validation: 8), 2).shape", gives: "[2, 1, 28, 28]")],
  chapter: "Data"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let split = try arguments.string("on") == "train" ? data.train : data.validation
  let count = try arguments.integer("count")
  guard count <= split.count else {
    throw arguments.failure("there are \(split.count) such images", hint: "at most \(split.count)", at: "count")
  }
  try MemoryCheck.require(numbers: Double(count) * Double(split.imageShape.elementCount))
  return .object(ArrayValue(array: try split.at(Array(0..<count)).tensor(data.normalization)))
}
