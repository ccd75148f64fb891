internal import Datasets
internal import Foundation
internal import Script

let imageNet = Builtin(
  "imagenet",
  "Loads ImageNet from the folders train/ and val/, from ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, or from WebDataset shards. Archives are read in place; an index is kept beside them in .reprise-index. Validation images are resized and centre-cropped as in timm and torchvision: the shorter side to floor(testSize / crop) pixels, then the centre.",
  parameters: [
    Parameter("path", .string, "The folder. env(\"IMAGENET\") reads it from an environment variable."),
    Parameter(
      "protocol", .record, "Arguments as a record, such as recipe.a1.protocol. Arguments written in the call take precedence.", optional: true,
      bundle: ArgumentBundle()),
    Parameter(
      "size", .integer, "Height and width of training images, in pixels.", default: .number(224), labelled: true,
      allowed: 8...4096),
    Parameter(
      "testSize", .integer, "Height and width of validation images, in pixels. Default: size.", optional: true, labelled: true,
      allowed: 8...4096),
    Parameter(
      "crop", .number, "Centre crop of validation images, as a share of the resized shorter side: 0.875 is 224 of 256.", default: .number(0.875),
      labelled: true, allowed: 0.1...1),
    Parameter(
      "filter", .oneOf(Framing.Filter.allCases.map(\.rawValue)), "Interpolation of validation images, antialiased.",
      default: .string(Framing.Filter.bilinear.rawValue), labelled: true),
    exifOrientation, trainCount, validationCount,
  ], result: .dataset, examples: [Example("imagenet(\"imagenet\", recipe.a1.protocol).validation", gives: "4")], chapter: "Data"
) { arguments in
  let path = arguments.context.pathToRead(try arguments.string("path"))
  guard let filter = Framing.Filter(rawValue: try arguments.string("filter")) else {
    preconditionFailure("a choice that was checked")
  }
  let context = arguments.context
  let begun = Date()
  var isIndexed = true
  let data = try Dataset.imageNet(
    at: path, size: arguments.integer("size"), testSize: arguments.integerIfGiven("testSize"),
    transform: TestTransform(crop: try arguments.number("crop"), filter: filter),
    isOriented: arguments.bool("exifOrientation"),
    indexing: {
      isIndexed = false
      context.report("looking for the images of \(path), which is done once")
    }, isInterrupted: context.interrupts)
  if !isIndexed {
    let seconds = NumberText.fixed(Date().timeIntervalSince(begun), 1)
    context.report("\(NumberText.grouped(data.train.count + data.validation.count)) images found in \(seconds) s")
  }
  return try arguments.limited(data)
}
