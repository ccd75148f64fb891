internal import Charts
internal import Datasets
internal import Script
internal import Tensors

let grid = Builtin(
  "grid",
  "Draws a grid of images: the first of each class, those of a list, or the first ones of an epoch with their augmentations. The file contains the images as data.",
  parameters: [
    Parameter("data", .dataset, "The dataset."),
    Parameter(
      "which", .either([.list(of: .integer), .list(of: .either([.integer, .record]))]),
      "Indices from 0, or what topLosses() returns, which adds the true class, the prediction and its confidence.", optional: true),
  ] + figureParameters + [
    Parameter(
      "count", .integer, "Maximum number of images. Default: the whole list, else about 40.", optional: true,
      labelled: true, allowed: 1...Double(ImageGrid.mostPictures)),
    Parameter(
      "on", .oneOf(["train", "validation"]),
      "Which set. Default: the validation set for a list, else the training set.", optional: true,
      labelled: true),
    augmentParameter,
    Parameter(
      "epoch", .integer, "Draws the first images of this epoch, counted from 1, of a training run with this seed.",
      optional: true,
      labelled: true, allowed: 1...100_000),
    seedParameter,
  ], result: .chart,
  examples: [
    Example("grid(synthetic(4, train: 16, validation: 8), to: \"classes.png\").path", gives: "\"classes.png\""),
    Example(
      "grid(synthetic(4, train: 16, validation: 8), epoch: 1, augment: [\"crop\", \"flip\"], count: 8, to: \"batch.png\").path",
      gives: "\"batch.png\""),
  ], chapter: "Results"
) { arguments in
  let data = try arguments.object("data", as: DatasetValue.self).data
  let listed = arguments.has("which") ? try arguments.list("which") : nil
  let inEpoch = arguments.has("epoch")
  guard listed == nil || !inEpoch else {
    throw arguments.failure(
      "a list and an epoch exclude each other", hint: "leave out epoch:, or the list", at: "epoch")
  }
  let part = arguments.has("on") ? try arguments.string("on") : listed == nil ? "train" : "validation"
  let split = part == "train" ? data.train : data.validation
  let augmentations = try arguments.augmentations(for: data)
  let seed = try arguments.seed("seed")
  // Scripts count epochs from 1.
  let epoch = (try arguments.integerIfGiven("epoch") ?? 1) - 1
  let limit = try arguments.integerIfGiven("count")
  guard split.count > 0 else { throw arguments.failure("there are no such images", at: "data") }

  var answers: [ListedAnswer] = []
  var loaded = split
  var what = "the first images of each class"
  var count = min(split.count, limit ?? 40)
  if inEpoch {
    what = "the first images of epoch \(epoch + 1)"
  } else if let listed {
    answers = try listed.prefix(limit ?? listed.count).map { try arguments.answer($0) }
    guard !answers.isEmpty else { throw arguments.failure("the list is empty", at: "which") }
    for answer in answers where !(0..<split.count).contains(answer.position) {
      throw arguments.failure(
        "there is no image \(answer.position) in the \(part) part", hint: "from 0 to \(split.count - 1)", at: "which")
    }
    loaded = try split.at(answers.map(\.position))
    (what, count) = ("\(answers.count) images", answers.count)
  } else {
    let chosen = firstOfEachClass(split, classes: data.classes.count, limit: limit ?? 40)
    loaded = try split.at(chosen)
    count = chosen.count
  }
  let shape = split.imageShape
  let bytes = count * (shape[0] == 3 ? 3 : 1) * shape[1] * shape[2]
  guard count <= ImageGrid.mostPictures else {
    throw ChartError.tooMuch(.pictures, count: count, limit: ImageGrid.mostPictures)
  }
  guard bytes <= ImageGrid.mostBytes else {
    throw ChartError.tooMuch(.pictureBytes, count: bytes, limit: ImageGrid.mostBytes)
  }
  let loader = Loader(
    loaded, batchSize: min(count, 64), normalization: data.normalization, augmentations: augmentations,
    order: inEpoch ? .shuffled : .plain, seed: seed)
  var tiles = try shown(loader, epoch: epoch, count: count, classes: data.classes)
  for (index, answer) in answers.enumerated() {
    let label = answer.label ?? tiles[index].caption
    guard let name = answer.answer else {
      // A record with a place for an answer, and none in it: the model's outputs were not numbers.
      if answer.hasNone { (tiles[index].caption, tiles[index].verdict) = ("\(label) → none (nan)", .wrong) }
      continue
    }
    // A share stays with its sign.
    let share = answer.confidence.map { " \(NumberText.fixed($0 * 100, 0))\u{A0}%" } ?? ""
    tiles[index].caption = "\(label) → \(name)\(share)"
    tiles[index].verdict = label == name ? .right : .wrong
  }
  let changes = try arguments.list("augment").map { if case .string(let name) = $0 { name } else { $0.shown } }
    .joined(separator: ", ")
  let random = inEpoch || !changes.isEmpty ? ", seed \(seed)" : ""
  let subtitle =
    "\(data.name): \(what) of the \(part == "train" ? "training" : "validation") part\(random)"
    + (changes.isEmpty ? "" : ", changed by \(changes)")
  let images = ImageGrid(tiles)
  let width = try arguments.integerIfGiven("width") ?? 1280
  let lines = try arguments.string("title").isEmpty ? 1 : 2
  return try arguments.drawn(
    [Panel(marks: [.pictures(images)])], subtitle: subtitle, width: width,
    height: images.height(ofChart: width, lines: lines))
}

/// What a list says of an image.
private struct ListedAnswer {
  var position: Int
  var label, answer: String?
  /// Whether it says that there is no answer.
  var hasNone = false
  /// From 0 to 1.
  var confidence: Double?
}

extension Arguments {
  fileprivate func answer(_ value: Value) throws(ScriptError) -> ListedAnswer {
    func whole(_ value: Value?) -> Int? {
      if case .number(let number)? = value { Int(exactly: number) } else { nil }
    }
    func text(_ value: Value?) -> String? { if case .string(let text)? = value { text } else { nil } }
    if let position = whole(value) { return ListedAnswer(position: position) }
    guard case .record(let record) = value, let position = whole(record["index"]) else {
      throw failure(
        "a record of the list has no index", hint: "{ index: 3 }, as topLosses(model, data) gives them", at: "which")
    }
    let confidence: Double? = if case .number(let number)? = record["confidence"] { number } else { nil }
    return ListedAnswer(
      position: position, label: text(record["label"]), answer: text(record["answer"]),
      hasNone: record["answer"] == Value.none, confidence: confidence)
  }
}

/// The first images of each class, class by class: as many of each as `limit` allows, at least one of the first classes.
private func firstOfEachClass(_ split: Split, classes: Int, limit: Int) -> [Int] {
  let each = max(1, limit / max(1, classes))
  var members = Array(repeating: [Int](), count: classes)
  var missing = classes * each
  for position in 0..<split.count where missing > 0 {
    let label = split.label(at: position)
    guard members.indices.contains(label), members[label].count < each else { continue }
    members[label].append(position)
    missing -= 1
  }
  return Array(members.joined().prefix(limit))
}

/// The first images that a loader gives in an epoch, as bytes again, with the names of their classes.
private func shown(_ loader: Loader, epoch: Int, count: Int, classes: [String]) throws -> [Tile] {
  let shape = loader.split.imageShape
  let (channels, height, width) = (shape[0], shape[1], shape[2])
  let plane = height * width
  let normalization = loader.normalization
  var tiles: [Tile] = []
  let stream = try loader.batches(epoch: epoch)
  while tiles.count < count, let batch = try stream.next() {
    for row in 0..<min(batch.count, count - tiles.count) {
      var bytes = [UInt8](repeating: 0, count: channels * plane)
      for index in bytes.indices {
        let channel = index / plane
        let value = batch.images[row * channels * plane + index]
        let byte = (value * normalization.std[channel] + normalization.mean[channel]) * 255
        bytes[index] = UInt8(max(0, min(255, byte.rounded())))
      }
      if channels != 1 && channels != 3 {
        // Neither grey nor red, green and blue: the mean of all channels.
        bytes = (0..<plane).map { place in
          UInt8((0..<channels).reduce(0) { $0 + Int(bytes[$1 * plane + place]) } / channels)
        }
      }
      let label = Int(batch.labels[row])
      tiles.append(
        Tile(
          channels: channels == 3 ? 3 : 1, height: height, width: width, bytes: bytes,
          caption: classes.indices.contains(label) ? classes[label] : "\(label)"))
    }
  }
  return tiles
}
