internal import Datasets
internal import Foundation
internal import Interchange
internal import Networks
internal import Script
internal import Tensors

let export = Builtin(
  "export",
  "Exports a model to a file whose ending gives the format: .tflite for TensorFlow Lite (LiteRT), .onnx for ONNX Runtime, OpenVINO and others. Batch norm is folded into convolutions, and a quantized model becomes an int8 model. Operations without an exact equivalent are refused, and the file is read back and checked before it is kept.",
  parameters: [
    Parameter("model", .model, "The model."),
    Parameter("to", .string, "The file, below the working directory.", labelled: true),
    Parameter(
      "data", .dataset, "Dataset whose class names and normalization are written into the file.", optional: true, labelled: true),
    Parameter(
      "allowNonFinite", .bool, "Whether to write weights that contain NaN or infinities.", default: .bool(false),
      labelled: true),
  ], result: .recordOf(["path": .string, "bytes": .integer, "format": .string]),
  examples: [
    Example("export(initialize(resnet8(classes: 4)), to: \"resnet8.tflite\").format", gives: "\"TensorFlow Lite\""),
    Example(
      "data = synthetic(4, shape: [3, 32, 32], train: 4, validation: 4)\nexport(initialize(resnet8(classes: 4)), to: \"resnet8.onnx\", data: data).path",
      gives: "\"resnet8.onnx\""),
  ], chapter: "Training"
) { arguments in
  let model = try arguments.object("model", as: ModelValue.self)
  let given = try arguments.string("to")
  guard let format = FileFormat(ofFile: given) else {
    throw arguments.failure(
      "a file's ending says its format: .tflite or .onnx, and '\(given)' has neither",
      hint: given.hasSuffix(".safetensors") ? "save(model, to: \"\(given)\")" : "to: \"model.onnx\"", at: "to")
  }
  var description = ModelDescription(producerVersion: programVersion)
  if arguments.has("data") {
    let data = try arguments.object("data", as: DatasetValue.self).data
    let found = data.classes.count
    let answers = model.network.shape(of: model.network.output).elementCount
    guard found == answers else {
      throw MismatchError.classes(network: model.network.name, has: answers, data: data.name, wants: found)
    }
    description.classes = data.classes
    (description.mean, description.std) = (data.normalization.mean, data.normalization.std)
  }
  let path = try arguments.fileToWrite("to")
  try model.network.export(
    model.weights, as: format, to: path, description, allowsNotFinite: try arguments.bool("allowNonFinite"))
  let bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  return .record(["path": .string(given), "bytes": .count(bytes), "format": .string("\(format)")])
}
