import Foundation
import Notebook
import Script
import Tensors
import Testing

@Suite("Files of a script")
struct FileTests {
  @Test("an array comes back from .npy as it was")
  func arrays() throws {
    let workshop = try Workshop()
    #expect(try workshop.value("a = array([1, 2.5, -3, 1e30], shape: [2, 2])\nwrite(a, to: \"deep/er/a.npy\")\nreadArray(\"deep/er/a.npy\") == a") == .bool(true))
  }

  @Test("an array prints cut, works as a list, and may be empty", arguments: [
    ("array([])", "array 0\n[]"), ("array([1], shape: [])", "array scalar\n1"), ("array([0], shape: [10])", "array 10\n[0, 0, 0, …, 0, 0, 0]"),
    ("array([1, 2, 3, 4], shape: [2, 2])[1]", "array 2\n[3, 4]"), ("array([0], shape: [2, 0])", "array 2 x 0\n[[]\n []]"),
    ("max(array([1, 5, 2]))", "5"), ("array([0], shape: [1, 1, 1, 1, 1])", "array 1 x 1 x 1 x 1 x 1"),
  ])
  func printing(_ code: String, _ shown: String) throws {
    #expect(try Workshop().value(code)?.shown == shown)
  }

  @Test("weights come back from safetensors as they were")
  func weights() throws {
    let workshop = try Workshop()
    try workshop.value("model = initialize(resnet8(classes: 4), seed: 2)\nsave(model, to: \"w.safetensors\")")
    #expect(try workshop.value("load(resnet8(classes: 4), \"w.safetensors\") == load(model, \"w.safetensors\")") == .bool(true))
    #expect(try workshop.value("evaluate(load(resnet8(classes: 4), \"w.safetensors\"), synthetic(4, shape: [3, 32, 32], train: 4, validation: 4)).count") == .number(4))
  }

  @Test("a model is exported by the file's ending, and weights come back from ONNX where no batch norm was folded")
  func exports() throws {
    let workshop = try Workshop()
    try workshop.value("model = initialize(resnet8(classes: 4, batchNorm: false), seed: 2)\nwritten = export(model, to: \"deep/er/m.onnx\")")
    #expect(try workshop.value("written.path == \"deep/er/m.onnx\" and written.format == \"ONNX\" and written.bytes > 30000") == .bool(true))
    #expect(try workshop.value("load(model, \"deep/er/m.onnx\") == model") == .bool(true))
    try workshop.value("model = initialize(resnet8(classes: 4))\nexport(model, to: \"m.onnx\")\nfolded = load(model, \"m.onnx\")")
    #expect(workshop.output.reports == ["load: the file's batch norms are folded into its convolutions, so the model's are too"])
    let data = "synthetic(4, shape: [3, 32, 32], train: 4, validation: 16)"
    #expect(try workshop.value("evaluate(folded, \(data)).top1 == evaluate(model, \(data)).top1") == .bool(true))
    #expect(
      try workshop.value("weightMapping(model, \"m.onnx\")[0]")
        == workshop.value("{ parameter: \"conv1.weight\", shape: \"16 x 3 x 3 x 3\", from: \"conv1.weight\" }"))
    let ending = try #require(workshop.error("export(model, to: \"m.h5\")"))
    #expect(ending.message.contains(".tflite or .onnx"), "\(ending.message)")
    let outside = try #require(workshop.error("export(model, to: \"../m.onnx\")"))
    #expect(outside.message.contains("outside"), "\(outside.message)")
    let classes = try #require(workshop.error("export(model, to: \"m.tflite\", data: synthetic(5, shape: [3, 32, 32], train: 5, validation: 5))"))
    #expect(classes.message.contains("has outputs for 4 classes"), "\(classes.message)")
  }

  @Test("weights of another network are told by the name of the tensor", arguments: [
    ("resnet8(classes: 5)", "'fc.bias' has the shape 4, the network needs 5"), ("resnet20(classes: 4)", "the file lacks the weights 'layer1.1.bn1.bias'"),
    ("resnet8(classes: 4, input: [1, 32, 32])", "'conv1.weight' has the shape 16 x 3 x 3 x 3"),
  ])
  func otherWeights(_ network: String, _ expected: String) throws {
    let workshop = try Workshop()
    try workshop.value("save(initialize(resnet8(classes: 4)), to: \"w.safetensors\")")
    let error = try #require(workshop.error("load(\(network), \"w.safetensors\")"))
    #expect(error.category == .runtime && error.message.contains(expected), "\(error.message)")
  }

  @Test("what stood before each name, and weights that are no numbers, are told") func told() throws {
    let workshop = try Workshop()
    try workshop.value("model = initialize(resnet8(classes: 4))\nsave(model, to: \"w.safetensors\")")
    #expect(workshop.output.reports.isEmpty)
    let path = workshop.folder + "/w.safetensors"
    var file = try SafeTensors(reading: path)
    file.weights = Weights(uniqueKeysWithValues: file.weights.map { ("module._orig_mod." + $0.key, $0.value) })
    file.weights["module._orig_mod.fc.bias"]?.withUnsafeMutableElements { $0[0] = .nan }
    try file.write(to: path)
    try workshop.value("broken = load(model, \"w.safetensors\")")
    #expect(
      workshop.output.reports == [
        "load: 'module._orig_mod.' was taken off each name",
        "warning: load: 'fc.bias' holds numbers that are not finite",
      ])
    let refused = try #require(workshop.error("export(broken, to: \"b.onnx\")"))
    #expect(refused.message.contains("'fc.bias' contains NaN or infinities"), "\(refused.message)")
    #expect(refused.message.contains("allowNonFinite: true"))
    #expect(try workshop.value("export(broken, to: \"b.onnx\", allowNonFinite: true).bytes > 0") == .bool(true))
    try workshop.value("save(broken, to: \"again.safetensors\")")
    #expect(workshop.output.reports.last == "warning: save: 'fc.bias' holds numbers that are not finite")
    try workshop.value("export(model, to: \"m.tflite\")")
    #expect(try workshop.value("typeOf(load(model, \"m.tflite\"))") == .string("model"))
    try Data([0x89] + Array("HDF\r\n\u{1A}\n\0".utf8)).write(to: URL(filePath: workshop.folder + "/m.h5"))
    let keras = try #require(workshop.error("load(model, \"m.h5\")"))
    #expect(keras.message.contains("HDF5") && keras.message.contains("safetensors, PyTorch, ONNX"), "\(keras.message)")
    let layers = try #require(workshop.error("export(initialize(beitB16(classes: 4, input: [3, 32, 32])), to: \"b.onnx\")"))
    #expect(layers.message.contains("is not exported to ONNX yet"), "\(layers.message)")
  }

  @Test("a file that is not what it should be is told, not believed", arguments: ["load(resnet8(), \"f\")", "readArray(\"f\")"])
  func damaged(_ code: String) throws {
    let workshop = try Workshop()
    for text in ["", "x", String(repeating: "\u{93}NUMPY", count: 100)] {
      try Data(text.utf8).write(to: URL(filePath: workshop.folder + "/f"))
      #expect(workshop.error(code)?.category == .runtime)
    }
  }

  @Test("a pipe is refused, not waited for", arguments: [
    "load(resnet8(), \"pipe\")", "readArray(\"pipe\")", "folder(\"pipe\")", "cifar10(\"pipe\")",
    "write(1, to: \"pipe\")", "plot([1, 2], to: \"pipe\")", "save(initialize(resnet8()), to: \"pipe\")", "preview(\"pipe\")",
  ])
  func pipes(_ code: String) throws {
    let workshop = try Workshop()
    #expect(mkfifo(workshop.folder + "/pipe", 0o600) == 0)
    #expect(workshop.error(code) != nil)
  }

  @Test("nothing is written outside the working directory", arguments: [
    "write(array([1]), to: \"/tmp/x.npy\")", "plot([1, 2], to: \"../x.png\")", "save(initialize(resnet8()), to: \"a/../../x\")",
    "write(1, to: \"\")",
  ])
  func outside(_ code: String) throws {
    #expect(try Workshop().error(code)?.category == .runtime)
  }

  @Test("no link leads what is written out of the working directory", arguments: [
    "write(array([1]), to: \"out/x.npy\")", "write(1, to: \"out/new/x\")", "plot([1, 2], to: \"out/x.png\")",
    "save(initialize(resnet8()), to: \"out/x\")", "write(1, to: \"file\")", "plot([1, 2], to: \"file\")",
    "save(initialize(resnet8()), to: \"file\")",
  ])
  func links(_ code: String) throws {
    let (workshop, outside) = (try Workshop(), try Workshop())
    let file = URL(filePath: outside.folder + "/file")
    try Data("kept".utf8).write(to: file)
    for (name, target) in [("out", outside.folder), ("file", file.path)] {
      try FileManager.default.createSymbolicLink(atPath: workshop.folder + "/" + name, withDestinationPath: target)
    }
    #expect(workshop.error(code)?.category == .runtime)
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside.folder) == ["file"])
    #expect(try Data(contentsOf: file) == Data("kept".utf8))
  }

  @Test("an image is a PNG file that carries its data, and its curves have names")
  func charts() throws {
    let workshop = try Workshop()
    try workshop.value("run = \(tinyRun)\nother = run")
    try workshop.value("plot(run, to: \"plots/run.png\")")
    let bytes = try Data(contentsOf: URL(filePath: workshop.folder + "/plots/run.png"))
    #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("reprise-data") && text.contains("\"train\"") && text.contains("\"validation\"") && text.contains("top-1 (%)"))
    try workshop.value("plot(run.validation.top1, other.validation.top1, to: \"two.png\")")
    let two = String(decoding: try Data(contentsOf: URL(filePath: workshop.folder + "/two.png")), as: UTF8.self)
    #expect(two.contains("\"run validation\"") && two.contains("\"other validation\""))
    try workshop.value("plot([run, other], 1...3, [3, 2, 1], logY: true, to: \"all.png\")")
  }
}
