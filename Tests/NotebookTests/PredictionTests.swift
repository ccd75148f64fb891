import Foundation
import Notebook
import Script
import Tensors
import Testing
import Training

@Suite("What a prediction is")
struct PredictionTests {
  @Test(
    "the largest logit is the prediction, of equal ones the first; a nan leaves none",
    arguments: [
      ([1, 3, 2], 1), ([2, 2, 1], 0), ([0, 0, 0], 0), ([-0.0, 0], 0), ([-.infinity, -1], 1),
      ([.infinity, 5, .infinity], 0),
      ([-.infinity, -.infinity], 0), ([.nan, 1, 2], nil), ([1, .nan, 2], nil), ([1, 2, .nan], nil),
      ([.infinity, .nan], nil),
      ([], nil),
    ] as [([Float], Int?)])
  func rule(_ logits: [Float], _ prediction: Int?) { #expect(Prediction.top1(of: logits) == prediction) }

  static let biases: [(name: String, bias: [Float], weight: Float?)] = [
    ("plain", [0, 0, 0, 0], nil), ("nan in one", [0, .nan, 0, 0], nil), ("nan in all", [.nan, .nan, .nan, .nan], nil),
    ("inf", [0, .infinity, 0, 0], nil), ("-inf", [-.infinity, 0, 0, 0], nil),
    ("two inf", [0, .infinity, .infinity, 0], nil),
    ("ties", [0, 0, 0, 0], 0), ("some ties", [0, 1, 1, 0], 0),
    ("-inf in all", [-.infinity, -.infinity, -.infinity, -.infinity], 0),
  ]

  @Test("all that counts or shows predictions follows one rule, whatever the logits are", arguments: biases.indices)
  func agreement(_ index: Int) throws {
    let (name, bias, weight) = Self.biases[index]
    let workshop = try Workshop()
    try workshop.value(
      """
      net = resnet8(classes: 4, input: [1, 8, 8])
      data = synthetic(4, shape: [1, 8, 8], train: 4, validation: 30)
      save(initialize(net), to: "whole.safetensors")
      """)
    var weights = try SafeTensors(reading: workshop.folder + "/whole.safetensors").weights
    weights["fc.bias"] = try Tensor(bias, shape: [4])
    if let weight { weights["fc.weight"]?.withUnsafeMutableElements { $0.update(repeating: weight) } }
    try SafeTensors(weights: weights).write(to: workshop.folder + "/m.safetensors")
    func number(_ text: String) throws -> Double {
      guard case .number(let number)? = try workshop.value(text) else { throw UnexpectedValue() }
      return number
    }
    try workshop.value(
      """
      m = load(net, "m.safetensors")
      found = evaluate(m, data)
      mixed = confusionMatrix(m, data)
      worst = topLosses(m, data, 30)
      same = agreement(m, data, with: m)
      """)
    // The rule, applied to the logits as they are.
    func list(_ text: String) throws -> [Value] {
      guard case .list(let list)? = try workshop.value(text) else { throw UnexpectedValue() }
      return list.elements
    }
    let logits = try list("predict(m, images(data, 30)).values").map { value -> Float in
      if case .number(let number) = value { Float(number) } else { 0 }
    }
    let names = try list("data.classNames")
    #expect(
      try list("[w.answer for w in sort(worst, by: w => w.index)]")
        == (0..<30).map { row in Prediction.top1(of: logits[4 * row..<4 * row + 4]).map { names[$0] } ?? .none },
      "\(name)")
    let correct = try number("found.correct")
    #expect(try number("mixed.correct") == correct, "\(name)")
    #expect(try number("mixed.count") == 30 && number("len(worst)") == 30 && number("found.count") == 30)
    #expect(try number("len(filter(worst, w => w.answer == w.label))") == correct)
    #expect(try number("sum([mixed.counts[i][i] for i in 0..<4])") == correct)
    let undefined = try number("sum(mixed.undefined)")
    #expect(undefined == (bias.contains(where: \.isNaN) ? 30 : 0))
    #expect(try number("len(filter(worst, w => w.answer == none))") == undefined)
    #expect(try number("sum([sum(row) for row in mixed.counts])") + undefined == 30)
    // A model agrees with itself wherever it predicts something.
    #expect(try number("same.differing") == undefined && number("same.unequal") == undefined)
    let largest = try number("same.largest")
    #expect(undefined > 0 ? largest.isNaN : largest == 0)
    let warnings = workshop.output.reports.filter { $0.hasPrefix("warning") && $0.contains("have no prediction") }
    #expect(warnings.count == (undefined == 0 ? 0 : 3), "\(workshop.output.reports)")
    #expect(workshop.output.reports.contains { $0.hasPrefix("warning: the loss is") } || undefined == 0)
  }

  @Test("weights that are not finite are told when they are loaded, and no file is exported with them")
  func notFinite() throws {
    let workshop = try Workshop()
    try workshop.value("net = resnet8(classes: 4, input: [1, 8, 8])\nsave(initialize(net), to: \"whole.safetensors\")")
    var weights = try SafeTensors(reading: workshop.folder + "/whole.safetensors").weights
    weights["fc.bias"] = try Tensor([0, .nan, 0, 0], shape: [4])
    try SafeTensors(weights: weights).write(to: workshop.folder + "/m.safetensors")
    try workshop.value("m = load(net, \"m.safetensors\")")
    #expect(workshop.output.reports.contains { $0.contains("'fc.bias' holds numbers that are not finite") })
    for name in ["m.onnx", "m.tflite"] {
      #expect(workshop.error("export(m, to: \"\(name)\")")?.message.contains("'fc.bias'") == true)
      #expect(!FileManager.default.fileExists(atPath: workshop.folder + "/" + name))
    }
    for method in ["minMax", "percentile", "mse", "kl", "movingAverage"] {
      let data = "synthetic(4, shape: [1, 8, 8], train: 8, validation: 8)"
      #expect(
        workshop.error("quantize(m, \(data), images: 8, calibration: \"\(method)\")")?.message.contains("NaN or infinities")
          == true)
    }
  }
}
