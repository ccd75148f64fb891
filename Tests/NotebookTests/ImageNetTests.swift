import Foundation
import Notebook
import Script
import Statistics
import Testing

@Suite("ImageNet from a script")
struct ImageNetTests {
  let workshop: Workshop

  /// A set in folders: 24 images to measure on, the same to train on.
  init() throws {
    workshop = try Workshop()
    let goldens = packageFolder.appending(path: "Tests/DatasetsTests/Goldens/imagenet")
    let lines = try String(contentsOf: goldens.appending(path: "val.txt"), encoding: .utf8).split(separator: "\n")
    for part in ["train", "val"] {
      for line in lines {
        let words = line.split(separator: " ")
        let folder = "\(workshop.folder)/set/\(part)/n0000000\(words[1])"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          atPath: goldens.appending(path: "val/\(words[0])").path, toPath: "\(folder)/\(words[0])")
      }
    }
  }

  @Test("a recipe's protocol is its sizes, crop and filter; the call wins")
  func recipe() throws {
    try workshop.value("data = imagenet(\"set\", recipe.a3.protocol)")
    #expect(try workshop.value("data.shape == [3, 160, 160] and data.testShape == [3, 224, 224]") == .bool(true))
    #expect(try workshop.value("data.train == 24 and data.validation == 24 and data.classes == 4") == .bool(true))
    #expect(try #require(try workshop.value("data")).shown.contains("scaled to 235 pixels (bicubic)"))
    #expect(workshop.output.reports.first?.contains("which is done once") == true)
    let reports = workshop.output.reports.count
    #expect(try workshop.value("imagenet(\"set\", recipe.a3.protocol, testSize: 64).testShape == [3, 64, 64]") == .bool(true))
    #expect(try workshop.value("imagenet(\"set\", recipe.a3.protocol, filter: \"bilinear\") == data") == .bool(false))
    #expect(workshop.output.reports.count == reports)
    #expect(workshop.error("imagenet(\"set\", { sizes: 3 })")?.message.contains("sizes") == true)
    #expect(workshop.error("imagenet(\"nowhere\")")?.category == .missingData)
    #expect(
      workshop.error("imagenet(\"set/val\")")?.message.contains("name the folder that holds train/ and val/") == true)
  }

  @Test("an interruption ends the search for the images, and nothing is kept of it")
  func interruption() throws {
    let stopped = try Workshop(in: workshop.folder, interruptions: 1)
    #expect(stopped.error("imagenet(\"set\")")?.category == .interrupted)
    #expect(stopped.output.reports.count == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder + "/set").sorted() == ["train", "val"])
    #expect(try workshop.value("imagenet(\"set\").validation") == .number(24))
    #expect(workshop.output.reports.first?.contains("which is done once") == true)
  }

  @Test("a network is trained at one size and measured at the other, its snapshots as well")
  func sizes() throws {
    try workshop.value("data = imagenet(\"set\", size: 24, testSize: 32)")
    try workshop.value("run = train(resnet8(classes: 4), data, epochs: 2, batch: 8, seed: 1)")
    #expect(try workshop.value("run.model.shape == [3, 24, 24] and run.count == 24") == .bool(true))
    #expect(try workshop.value("evaluate(run.model, data).loss == run.validation.loss.y[1]") == .bool(true))
    #expect(try workshop.value("predict(run.model, images(data, 3)).shape == [3, 4]") == .bool(true))
    // The same images as the validation set, at its size.
    #expect(
      try workshop.value("abs(evaluate(run.model, data, on: \"train\").loss - evaluate(run.model, data).loss) < 1e-5") == .bool(true))
    #expect(try workshop.value("len(topLosses(run.model, data, 30))") == .number(24))
    try workshop.value(
      "best = train(resnet8(classes: 4), data, epochs: 2, batch: 8, seed: 1, result: \"best\", snapshots: { count: 1, share: 30% })")
    #expect(try workshop.value("evaluate(best.model, data).correct == best.correct") == .bool(true))
  }

  @Test("a recipe runs at paper scale, with ResNet-50 and its protocol", arguments: ["torchvision", "a3"])
  func paperScale(_ recipe: String) throws {
    let text = try String(contentsOf: packageFolder.appending(path: "Recipes/resnet50/\(recipe).reprise"), encoding: .utf8)
    try workshop.session.run(
      Source(text, name: recipe), settings: ["scale": "paper", "path": "set", "epochs": "1", "batch": "12", "count": "1"])
    #expect(try workshop.value("runs[0].count == 24 and runs[0].model.parameters == 23516228") == .bool(true))
    // One seed says nothing of a recipe, and the claim says so.
    #expect(workshop.notebook.claims.map(\.verdict) == [.undecided])
    #expect(workshop.notebook.claims.first?.reason.contains("three seeds") == true)
  }

  @Test("a network of one size says so, before it is trained")
  func oneSize() throws {
    try workshop.value("data = imagenet(\"set\", size: 32, testSize: 64)")
    for call in ["evaluate(initialize(net), data)", "train(net, data, batch: 8)", "topLosses(initialize(net), data)"] {
      let error = workshop.error("net = vgg11(classes: 4, input: [3, 32, 32], hiddenFeatures: 8)\n\(call)")
      #expect(error?.message.contains("vgg11 takes only images of 3 x 32 x 32") == true)
      #expect(error?.message.contains("size: 32, and for imagenet() testSize: 32") == true)
    }
  }

  @Test("a broken image ends the evaluation with its name and what to do")
  func brokenImage() throws {
    let path = "\(workshop.folder)/set/val/n00000000/ILSVRC2012_val_00000001.JPEG"
    let bytes = try Data(contentsOf: URL(filePath: path))
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: path))
    let error = workshop.error("evaluate(initialize(resnet8(classes: 4, input: [3, 16, 16])), imagenet(\"set\", size: 16))")
    #expect(error?.message.contains("ILSVRC2012_val_00000001.JPEG cannot be decoded: the JPEG data ends early") == true)
    #expect(error?.message.contains("fetch the file again") == true)
  }
}
