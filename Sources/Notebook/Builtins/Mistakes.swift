internal import Datasets
internal import Script
internal import Training

private let partParameter = Parameter(
  "on", .oneOf(["validation", "train"]), "Which set: the validation set or the training set.", default: .string("validation"),
  labelled: true)

extension Arguments {
  /// What the argument `model` says of each image of `data`.
  fileprivate func answers() throws -> (answers: [Evaluator.Answer], classes: [String]) {
    let model = try object("model", as: ModelValue.self)
    let data = try object("data", as: DatasetValue.self).data
    let split = try string("on") == "train" ? data.measured(data.train) : data.validation
    let network = try model.network.fitted(to: split, of: data)
    try MemoryCheck.inference(network, batch: 100)
    var shown = data
    (shown.train, shown.validation) = (split.empty, split)
    try notebook().note(data: shown)
    return (
      try Evaluator(engine: notebook().engine(), isInterrupted: context.interrupts).answers(
        network, model.weights, on: split, normalization: data.normalization), data.classes
    )
  }
}

extension Arguments {
  /// Warns of images that have no prediction, since a logit of theirs is `nan`.
  func tell(undefined: Int, of count: Int) {
    guard undefined > 0 else { return }
    context.report(
      "warning: the model's outputs for \(NumberText.grouped(undefined)) of \(NumberText.grouped(count)) images are not numbers (nan); these have no prediction and count as wrong"
    )
  }
}

let confusion = Builtin(
  "confusionMatrix",
  "Returns the confusion matrix of a model on a dataset, and the pairs of classes that it confuses most.",
  parameters: [modelParameter, dataParameter, partParameter], result: .confusion,
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)\nconfusionMatrix(initialize(resnet8(data), seed: 1), data).count",
      gives: "16")
  ], chapter: "Training"
) { arguments in
  let (answers, classes) = try arguments.answers()
  var counts = classes.map { _ in classes.map { _ in 0 } }
  var undefined = classes.map { _ in 0 }
  for answer in answers {
    if let predicted = answer.answer { counts[answer.label][predicted] += 1 } else { undefined[answer.label] += 1 }
  }
  arguments.tell(undefined: undefined.reduce(0, +), of: answers.count)
  return .object(ConfusionValue(classes: classes, counts: counts, undefined: undefined))
}

let topLosses = Builtin(
  "topLosses", "Returns the images with the largest loss: a record for each, the largest first. answer is the prediction, or none if an output of the model is nan.",
  parameters: [
    modelParameter, dataParameter,
    Parameter("count", .integer, "Number of images.", default: .number(10), allowed: 1...100_000),
    partParameter,
  ],
  result: .list(
    of: .recordOf([
      "index": .integer, "label": .string, "answer": .optional(.string), "confidence": .number,
      "loss": .number,
    ])),
  examples: [
    Example(
      "data = synthetic(4, shape: [1, 8, 8], train: 4, validation: 16)\nlen(topLosses(initialize(resnet8(data), seed: 1), data, 3))",
      gives: "3")
  ], chapter: "Training"
) { arguments in
  let (answers, classes) = try arguments.answers()
  arguments.tell(undefined: answers.count { $0.answer == nil }, of: answers.count)
  // Numbers that are none are the worst; among equals the first image comes first.
  let sorted = answers.sorted { a, b in
    if a.loss.isNaN != b.loss.isNaN { return a.loss.isNaN }
    return a.loss != b.loss && !a.loss.isNaN ? a.loss > b.loss : a.position < b.position
  }
  return .list(
    sorted.prefix(try arguments.integer("count")).map { answer in
      .record([
        "index": .count(answer.position), "label": .string(classes[answer.label]),
        "answer": answer.answer.map { .string(classes[$0]) } ?? .none, "confidence": .number(answer.confidence),
        "loss": .number(answer.loss),
      ])
    })
}
