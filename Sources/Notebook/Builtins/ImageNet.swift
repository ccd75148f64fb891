internal import Datasets
internal import Foundation
internal import Script

let imageNet = Builtin(
  "imagenet",
  "ImageNet, as folders train/ and val/, as the tar files ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, or as WebDataset's shards; archives are read in place, and what was found is kept beside them in .reprise-index. Images are measured on as timm and torchvision do: the shorter side scaled to floor(testSize / crop), then the middle.",
  parameters: [
    Parameter("path", .string, "The folder; env(\"IMAGENET\") takes it from a variable of the environment."),
    Parameter(
      "protocol", .record, "Arguments in a record, such as recipe.a1.protocol; those of the call win.", optional: true,
      bundle: ArgumentBundle()),
    Parameter(
      "size", .integer, "Height and width of images to train on. Pixels.", default: .number(224), labelled: true,
      allowed: 8...4096),
    Parameter(
      "testSize", .integer, "The same of those to measure on; size where left out.", optional: true, labelled: true,
      allowed: 8...4096),
    Parameter(
      "crop", .number, "What is seen of the shorter side when measuring: 0.875 is 224 of 256.", default: .number(0.875),
      labelled: true, allowed: 0.1...1),
    Parameter(
      "filter", .oneOf(Framing.Filter.allCases.map(\.rawValue)), "What images are scaled with then, antialiased.",
      default: .string(Framing.Filter.bilinear.rawValue), labelled: true),
    exifOrientation, trainCount, validationCount,
  ], result: .dataset, examples: [Example("typeOf(imagenet)", gives: "\"function\"")], chapter: "Data"
) { arguments in
  try arguments.context.checkInterruption()
  let path = arguments.context.pathToRead(try arguments.string("path"))
  guard let filter = Framing.Filter(rawValue: try arguments.string("filter")) else {
    preconditionFailure("a choice that was checked")
  }
  let context = arguments.context
  let begun = Date()
  var isIndexed = true
  let data: Dataset
  do {
    data = try Dataset.imageNet(
      at: path, size: arguments.integer("size"), testSize: arguments.integerIfGiven("testSize"),
      transform: TestTransform(crop: try arguments.number("crop"), filter: filter),
      isOriented: arguments.bool("exifOrientation"),
      indexing: {
        isIndexed = false
        context.report("looking for the images of \(path), which is done once")
      }, isInterrupted: { context.isInterrupted })
  } catch DatasetError.interrupted {
    throw ScriptError.interrupted(at: context.span)
  }
  if !isIndexed {
    let seconds = NumberText.fixed(Date().timeIntervalSince(begun), 1)
    context.report("\(NumberText.grouped(data.train.count + data.validation.count)) images found in \(seconds) s")
  }
  return try arguments.limited(data)
}
