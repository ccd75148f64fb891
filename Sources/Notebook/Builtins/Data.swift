internal import Datasets
internal import Foundation
internal import Script
internal import Tensors

let trainCount = Parameter(
  "train", .integer, "Size of the training set: the first images of each class. Default: all images.", optional: true,
  labelled: true, allowed: 1...1e9)
let validationCount = Parameter(
  "validation", .integer, "Size of the validation set: the first images of each class. Default: all images.",
  optional: true, labelled: true, allowed: 1...1e9)

let exifOrientation = Parameter(
  "exifOrientation", .bool,
  "Whether images are rotated and mirrored by their EXIF orientation. torchvision and timm do not do so.",
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
  "fashionMNIST", "Loads Fashion-MNIST: grey images of clothing, 28 x 28 pixels, ten classes, 60,000 for training and 10,000 for evaluation.",
  parameters: [
    Parameter("path", .string, "The folder with its four files. Default: where the Debian package dataset-fashion-mnist puts them.", optional: true),
    trainCount, validationCount,
  ], result: .dataset, examples: [Example("fashionMNIST(train: 1000, validation: 500).train", gives: "1000")], chapter: "Data"
) { arguments in
  guard arguments.has("path") else { return try arguments.limited(try Dataset.fashionMNIST()) }
  let path = arguments.context.pathToRead(try arguments.string("path"))
  return try arguments.limited(try Dataset.fashionMNIST(at: path))
}

let cifar10 = Builtin(
  "cifar10", "Loads CIFAR-10 from its binary version: colour images, 32 x 32 pixels, ten classes, 50,000 for training and 10,000 for evaluation.",
  parameters: [
    Parameter("path", .string, "The folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin."), trainCount, validationCount,
  ], result: .dataset, examples: [Example("cifar10(\"cifar-10-batches-bin\", train: 50).shape", gives: "[3, 32, 32]")], chapter: "Data"
) { arguments in
  try arguments.limited(try Dataset.cifar10(at: arguments.context.pathToRead(try arguments.string("path"))))
}

let imageFolder = Builtin(
  "folder", "Loads images from a folder with one subfolder per class, or with train/ and val/ that have such subfolders. A class has all images below its folder at any depth, as in torchvision's ImageFolder. Files that are not read are reported.",
  parameters: [
    Parameter("path", .string, "The folder."),
    Parameter("size", .integer, "Height and width of the resized images, in pixels.", default: .number(224), allowed: 8...4096),
    Parameter("channels", .integer, "Number of channels: 1 for grey, 3 for colour.", default: .number(3), labelled: true, allowed: 1...3),
    Parameter(
      "validationShare", .number, "Share of each class that becomes the validation set when there is no val/. Each class keeps at least one training image.", default: .number(0.1),
      labelled: true, allowed: 0.001...0.999),
    exifOrientation, trainCount, validationCount,
  ], result: .dataset, examples: [Example("folder(\"photos\", size: 64, validationShare: 20%).classNames", gives: "[\"cat\", \"dog\"]")], chapter: "Data"
) { arguments in
  let (size, context) = (try arguments.integer("size"), arguments.context)
  return try arguments.limited(
    try Dataset.imageFolder(
      at: context.pathToRead(try arguments.string("path")), height: size, width: size,
      channels: try arguments.integer("channels"), validationShare: try arguments.number("validationShare"),
      isOriented: try arguments.bool("exifOrientation"), note: { context.report($0) },
      isInterrupted: context.interrupts))
}

let synthetic = Builtin(
  "synthetic", "Generates images of stripes, a dataset that needs no files. A class is an angle and a width of the stripes.",
  parameters: [
    Parameter("classes", .integer, "Number of classes.", default: .number(10), allowed: 2...64),
    Parameter(
      "shape", .list(of: .integer), "Shape of an image: channels, height, width.", default: .list([1.0, 28, 28]), labelled: true),
    Parameter("train", .integer, "Size of the training set.", default: .number(4000), labelled: true, allowed: 1...1e7),
    Parameter(
      "validation", .integer, "Size of the validation set.", default: .number(1000), labelled: true, allowed: 1...1e7),
    Parameter(
      "noise", .number, "Standard deviation of the Gaussian noise; black to white is 1.", default: .number(0.2), labelled: true,
      allowed: 0...10),
    Parameter("seed", .integer, "Seed of the images.", default: .number(0), labelled: true, allowed: seedRange),
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
  "Returns a dataset whose validation set is held out from the training set, for choosing settings without using the original validation set.",
  parameters: [
    Parameter("data", .dataset, "The dataset. Its own validation set is not used."),
    Parameter(
      "count", .integer, "Number of held-out images, sampled in proportion to the classes.", allowed: 1...1e9),
    trainCount,
    Parameter(
      "seed", .integer, "Seed of the selection.", default: .number(1), labelled: true, allowed: seedRange),
  ], result: .dataset,
  examples: [Example("holdOut(synthetic(4, train: 64, validation: 32), 16).train", gives: "48")], chapter: "Data"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let result = try data.holdingOut(arguments.integer("count"), seed: UInt64(arguments.integer("seed")))
  return .object(DatasetValue(data: try result.limited(train: arguments.integerIfGiven("train"))))
}

let images = Builtin(
  "images", "Returns the first images of a dataset, normalized as a network sees them: an array N x C x H x W.",
  parameters: [
    Parameter("data", .dataset, "The dataset."),
    Parameter("count", .integer, "Number of images.", default: .number(1), allowed: 1...100_000),
    Parameter(
      "on", .oneOf(["train", "validation"]), "Which set: the validation set or the training set.", default: .string("validation"), labelled: true),
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
