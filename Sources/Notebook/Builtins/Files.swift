internal import Charts
internal import Foundation
internal import Interchange
internal import ModelZoo
internal import Networks
internal import Script
internal import Tensors

extension Arguments {
  /// A file that must be there to be read.
  /// - Throws: `ScriptError.missingData` where it is not.
  func existingFile(_ label: String, hint: String) throws(ScriptError) -> String {
    let given = try string(label)
    let path = context.pathToRead(given)
    guard !given.isEmpty, FileManager.default.fileExists(atPath: path) else {
      throw missing("'\(given)' does not exist", hint: hint, at: label)
    }
    // Opening a pipe would wait for somebody who writes to it.
    var status = stat()
    if stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
      throw failure("'\(given)' is not a regular file", hint: hint, at: label)
    }
    return path
  }

  /// A file to write, below the working directory; folders on the way to it are made.
  func fileToWrite(_ label: String) throws -> String {
    let given = try string(label)
    let path = try context.pathToWrite(given, at: span(of: label))
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw MismatchError.noFolder(path: given, reason: (error as NSError).localizedDescription)
    }
    return path
  }

  /// A file for a figure, as `fileToWrite` has it. What is there is replaced only where Reprise drew it.
  func figureToWrite(_ label: String) throws -> String {
    let path = try fileToWrite(label)
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return path }
    let bytes = try readFile(path, limit: 1 << 28)
    guard (try? Origin(png: bytes)) != nil || (try? Chart(png: bytes)) != nil else {
      throw failure(
        "'\(try string(label))' is there and is no figure that Reprise drew, so it is not replaced",
        hint: "choose another name, or remove the file", at: label)
    }
    return path
  }
}

extension Arguments {
  /// Tells of weights that hold NaN or infinities.
  fileprivate func warn(ofNotFinite weights: Weights, _ what: String) {
    let names = weights.notFinite
    guard let first = names.first else { return }
    context.report(
      "warning: \(what): '\(first)'\(names.count > 1 ? " and \(names.count - 1) more" : "") hold\(names.count > 1 ? "" : "s") numbers that are not finite"
    )
  }
}

let load = Builtin(
  "load",
  "Loads weights into a network from a safetensors, PyTorch, ONNX or TensorFlow Lite file with the parameter names of torchvision or timm; the prefixes module., _orig_mod. and model. are removed. Nothing in a PyTorch file is executed. If an ONNX or TensorFlow Lite file has other names, layers are matched by the structure of the graph; an ambiguous match is an error, and weightMapping shows the result. If the file's batch norms are folded into its convolutions, they are folded in the model too: it can be evaluated, quantized and exported.",
  parameters: [
    Parameter("network", .either([.network, .model]), "The network that the weights belong to."),
    Parameter("path", .string, "The file. Its contents decide the format."),
    Parameter(
      "entry", .string,
      "The entry of a PyTorch checkpoint to load, such as \"state_dict_ema\". By default the entry with the most usual name that is no moving average.",
      optional: true, labelled: true),
  ], result: .model, examples: [
    Example(
      "save(initialize(resnet8(classes: 4), seed: 1), to: \"resnet8.safetensors\")\nload(resnet8(classes: 4), \"resnet8.safetensors\")")
  ], chapter: "Training"
) { arguments in
  let network = try arguments.layers("network")
  let path = try arguments.existingFile(
    "path", hint: "name a .safetensors or .pth file, or train and save(model, to: …) first")
  let entry = try arguments.has("entry") ? arguments.string("entry") : nil
  let found = try WeightsFile.read(path, for: network, entry: entry, renamed: ModelZoo.inOurNames)
  if entry == nil, !found.entry.isEmpty {
    let others = found.otherEntries.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    arguments.context.report(
      "load: the entry '\(found.entry)' is used"
        + (others.isEmpty ? "" : "; entry: chooses another of \(others)\(found.otherEntries.count > 3 ? ", …" : "")"))
  }
  if !found.sources.isEmpty {
    arguments.context.report("load: layers were matched by structure, not by name; weightMapping shows the result")
  }
  if found.isFolded { arguments.context.report("load: the file's batch norms are folded into its convolutions, so the model's are too") }
  if !found.prefix.isEmpty { arguments.context.report("load: '\(found.prefix)' was taken off each name") }
  arguments.warn(ofNotFinite: found.weights, "load")
  return .object(ModelValue(network: found.network, weights: found.weights))
}

let weightMapping = Builtin(
  "weightMapping",
  "Lists where load takes each parameter from: a record for each, with its shape and its name in the file.",
  parameters: [
    Parameter("network", .either([.network, .model]), "The network that the weights belong to."),
    Parameter("path", .string, "The file that load reads."),
  ], result: .list(of: .recordOf(["parameter": .string, "shape": .string, "from": .string])), examples: [
    Example(
      "export(initialize(resnet8(classes: 4), seed: 1), to: \"resnet8.onnx\")\nweightMapping(resnet8(classes: 4), \"resnet8.onnx\")[0].from",
      gives: "\"conv1.weight\"")
  ], chapter: "Training"
) { arguments in
  let network = try arguments.layers("network")
  let path = try arguments.existingFile("path", hint: "name the file that load reads")
  let found = try WeightsFile.read(path, for: network, renamed: ModelZoo.inOurNames)
  let sources = Dictionary(uniqueKeysWithValues: found.sources.map { ($0.parameter, $0.source) })
  return .list(
    found.network.parameters.map { name, rule -> Value in
      .record([
        "parameter": .string(name), "shape": .string("\(rule.shape)"),
        "from": .string(found.sources.isEmpty ? found.prefix + name : sources[name] ?? "zeros"),
      ])
    })
}

let save = Builtin(
  "save", "Saves a model's weights to a safetensors file with torchvision's parameter names.",
  parameters: [
    Parameter("model", .model, "The model."),
    Parameter("to", .string, "The file, below the working directory.", labelled: true),
  ], result: .none,
  examples: [Example("save(initialize(resnet8(classes: 4)), to: \"resnet8.safetensors\")")], chapter: "Training"
) { arguments in
  let model = try arguments.object("model", as: ModelValue.self)
  let path = try arguments.fileToWrite("to")
  arguments.warn(ofNotFinite: model.weights, "save")
  try SafeTensors(weights: model.weights, metadata: ["format": "pt", "network": model.network.name]).write(to: path)
  return .none
}

let array = Builtin(
  "array", "Returns an array of float32 numbers.",
  parameters: [
    Parameter("numbers", .list(of: .number), "The numbers, row by row. A single number fills the array."),
    Parameter("shape", .list(of: .integer), "The size of each dimension. Default: one dimension.", optional: true),
  ], result: .array,
  examples: [Example("array([1, 2, 3, 4, 5, 6], shape: [2, 3])", gives: "array 2 x 3\n[[1, 2, 3]\n [4, 5, 6]]")],
  chapter: "Arrays"
) { arguments in
  let numbers = try arguments.numbers("numbers")
  guard arguments.has("shape") else {
    return .object(ArrayValue(array: try Tensor(numbers.lazy.map { Float($0) }, shape: [numbers.count])))
  }
  let extents = try arguments.numbers("shape").map { try arguments.integer($0, at: "shape") }
  guard extents.count <= 32, extents.allSatisfy((0...1_000_000_000).contains), let shape = Shape(checking: extents),
    shape.elementCount <= 1 << 28
  else { throw arguments.failure("this is not a shape", hint: "shape: [2, 3]", at: "shape") }
  if numbers.count == 1 {
    var array = try Tensor(zeros: shape)
    array.withUnsafeMutableElements { $0.update(repeating: Float(numbers[0])) }
    return .object(ArrayValue(array: array))
  }
  return .object(ArrayValue(array: try Tensor(numbers.lazy.map { Float($0) }, shape: shape)))
}

let readArray = Builtin(
  "readArray", "Reads an array from a NumPy .npy file and converts it to float32.",
  parameters: [Parameter("path", .string, "The file.")], result: .array,
  examples: [
    Example(
      "write(array([1, 2, 3]), to: \"numbers.npy\")\nreadArray(\"numbers.npy\")", gives: "array 3\n[1, 2, 3]")
  ], chapter: "Arrays"
) { arguments in
  .object(ArrayValue(array: try NPY.read(arguments.existingFile("path", hint: "name a .npy file"))))
}

let write = Builtin(
  "write", "Writes an array to a NumPy .npy file, and any other value to a text file: as JSON if the name ends with .json, as a table if it ends with .csv. A string is written as it is.",
  parameters: [
    Parameter("value", .any, "The value."),
    Parameter("to", .string, "The file, below the working directory.", labelled: true),
  ], result: .none,
  examples: [Example("write(array([1, 2, 3]), to: \"numbers.npy\")"), Example("write(\"done\", to: \"notes.txt\")"),
    Example("write([{ epoch: 1, loss: 0.5 }], to: \"losses.csv\")"),
  ],
  chapter: "Arrays"
) { arguments in
  let path = try arguments.fileToWrite("to")
  if case .object(let object) = arguments.value("value"), let array = object as? ArrayValue {
    try NPY.write(array.array, to: path)
  } else {
    let value = arguments.value("value")
    var text: String?
    if case .string = value {
      text = nil
    } else if path.lowercased().hasSuffix(".json") {
      text = value.json + "\n"
    } else if path.lowercased().hasSuffix(".csv") {
      guard let table = CSV.text(of: value) else {
        throw arguments.failure(
          "a \(value.typeName) of this form is not a table",
          hint: "write a list of records, a list of lists, or a record of lists of the same length", at: "value")
      }
      text = table
    }
    if let text { try writeAtomically(to: path, text: text) } else {
      try writeAtomically(to: path, text: value.whole(at: arguments.span) + "\n")
    }
  }
  return .none
}
