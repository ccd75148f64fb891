internal import Datasets
internal import Script
internal import Tensors

/// The changes that need no arguments, by name; the argument is the shorter side of the images.
private let named: KeyValuePairs<String, @Sendable (Int) -> Augmentation> = [
  "crop": { .randomCrop(padding: max(1, $0 / 8)) },
  "flip": { _ in .horizontalFlip() },
  "randomResizedCrop": { _ in .randomResizedCrop() },
  "randAugment": { _ in .randAugment(RandAugment()) },
  "randomErasing": { _ in .randomErasing(RandomErasing()) },
  "colorJitter": { _ in .colorJitter(ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4)) },
  "scaleJitter": { _ in .scaleJitter() },
  "colorNoise": { _ in .colorNoise() },
  "repeatedAugmentation": { _ in .repeated() },
]

let augmentParameter = Parameter(
  "augment", .list(of: .either([.oneOf(named.map(\.key)), .augmentation])),
  "Random changes to training images, in their order, by name or as their built-ins make them; crop moves by up to an eighth of the size.",
  default: .list([Value]()), labelled: true)

extension Arguments {
  /// What the argument `augment` lists.
  func augmentations(for data: Dataset) throws(ScriptError) -> [Augmentation] {
    let shorterSide = min(data.imageShape[1], data.imageShape[2])
    var found: [Augmentation] = []
    for element in try list("augment") {
      switch element {
      case .object(let value as AugmentationValue): found.append(value.augmentation)
      case .string(let name):
        guard let make = named.first(where: { $0.key == name })?.value else { continue }
        found.append(make(shorterSide))
      default: continue
      }
    }
    return found
  }

  /// Two numbers in order, within bounds.
  fileprivate func pair(_ label: String, within allowed: ClosedRange<Double>) throws(ScriptError) -> ClosedRange<Double> {
    let numbers = try numbers(label)
    guard numbers.count == 2, numbers[0] <= numbers[1], numbers.allSatisfy(allowed.contains) else {
      throw failure(
        "'\(label)' is the least and the most, from \(NumberText.short(allowed.lowerBound)) to \(NumberText.short(allowed.upperBound))",
        hint: "\(label): [\(NumberText.short(allowed.lowerBound)), \(NumberText.short(allowed.upperBound))]", at: label)
    }
    return numbers[0]...numbers[1]
  }

  /// The value of a change that this call describes.
  fileprivate func made(_ augmentation: Augmentation) -> Value {
    .object(AugmentationValue(augmentation, self))
  }
}

extension AugmentationValue {
  fileprivate init(_ augmentation: Augmentation, _ arguments: Arguments) {
    self.init(augmentation: augmentation, summary: arguments.written)
  }

  /// The value that a call of a built-in gives, from Swift.
  init(_ name: String, _ arguments: KeyValuePairs<String, Value>, _ augmentation: Augmentation) {
    let list = arguments.map { "\($0.key): \($0.value.shown)" }.joined(separator: ", ")
    self.init(augmentation: augmentation, summary: "\(name)(\(list))")
  }
}

private func share(_ label: String, _ doc: String, default value: Double, to most: Double = 1) -> Parameter {
  Parameter(label, .number, doc, default: .number(value), labelled: true, allowed: 0...most)
}
private func pairParameter(_ label: String, _ doc: String, default values: [Double]) -> Parameter {
  Parameter(label, .list(of: .number), doc, default: .list(values), labelled: true)
}
private let filterParameter = Parameter(
  "filter", .oneOf(Interpolation.allCases.map(\.rawValue)), "Which filter scales; random draws one for each image.",
  default: .string("bilinear"), labelled: true)
extension Arguments {
  fileprivate func interpolation() throws(ScriptError) -> Interpolation {
    Interpolation(rawValue: try string("filter")) ?? .bilinear
  }
}

private func change(
  _ name: String, _ doc: String, _ parameters: [Parameter], example: String,
  make: @escaping @Sendable (Arguments) throws(ScriptError) -> Augmentation
) -> Builtin {
  Builtin(
    name, doc, parameters: parameters, result: .augmentation, examples: [Example(example, gives: example)],
    chapter: "Images"
  ) { arguments in arguments.made(try make(arguments)) }
}

let augmentationBuiltins = [
  change(
    "randomResizedCrop",
    "A random part of an image, scaled to the whole (Szegedy et al. 2015, drawn as torchvision draws). First of all changes.",
    [
      pairParameter("area", "Its share of the image, least and most.", default: [0.08, 1]),
      pairParameter("aspect", "Its width to its height.", default: [0.75, 4.0 / 3]), filterParameter,
    ], example: #"randomResizedCrop(area: [0.35, 1], filter: "random")"#
  ) { arguments throws(ScriptError) in
    .randomResizedCrop(
      area: try arguments.pair("area", within: 0.0001...1), aspect: try arguments.pair("aspect", within: 0.01...100),
      filter: try arguments.interpolation())
  },
  change(
    "scaleJitter",
    "The image scaled so that its shorter side is drawn from a range, then a random part (He et al. 2015, section 3.4).",
    [pairParameter("shortSide", "In pixels, least and most.", default: [256, 480]), filterParameter],
    example: "scaleJitter(shortSide: [28, 40])"
  ) { arguments throws(ScriptError) in
    let side = try arguments.pair("shortSide", within: 1...16_384)
    return .scaleJitter(shortSide: Int(side.lowerBound)...Int(side.upperBound), filter: try arguments.interpolation())
  },
  change(
    "randAugment",
    "Random operations at a random level around a magnitude of 0 to 10, as timm 1.0 draws them (Cubuk et al. 2020): autoContrast, equalize, invert, rotate, posterize, solarize, solarizeAdd, color, contrast, brightness, sharpness, shear and translate.",
    [
      share("magnitude", "Of the level's distribution, the middle.", default: 9, to: 10),
      share("std", "Its std.", default: 0.5, to: 100),
      Parameter("layers", .integer, "Operations for an image.", default: .number(2), labelled: true, allowed: 1...16),
      share("probability", "Of each to be applied.", default: 0.5),
      Parameter(
        "increasing", .bool, "Whether a higher level always changes more, timm's inc1.", default: .bool(false),
        labelled: true),
      Parameter(
        "filter", .oneOf(Interpolation.allCases.map(\.rawValue)), "Which filter moves pixels.",
        default: .string("random"), labelled: true),
    ], example: "randAugment(magnitude: 7, increasing: true)"
  ) { arguments throws(ScriptError) in
    .randAugment(
      RandAugment(
        magnitude: try arguments.number("magnitude"), std: try arguments.number("std"),
        layers: try arguments.integer("layers"), probability: try arguments.number("probability"),
        isIncreasing: try arguments.bool("increasing"), filter: try arguments.interpolation()))
  },
  change(
    "randomErasing", "A random rectangle becomes noise or the mean (Zhong et al. 2017, drawn as timm draws).",
    [
      share("probability", "How often.", default: 0.25),
      pairParameter("area", "Its share of the image, least and most.", default: [0.02, 1.0 / 3]),
      pairParameter("aspect", "Its height to its width.", default: [0.3, 1 / 0.3]),
      Parameter(
        "mode", .oneOf(RandomErasing.Mode.allCases.map(\.rawValue)),
        "What stands there: the mean, noise of one number for a channel, or noise for each pixel.",
        default: .string("pixel"), labelled: true),
      Parameter(
        "most", .integer, "Rectangles are drawn from 1 to this number.", default: .number(1), labelled: true,
        allowed: 1...100),
    ], example: #"randomErasing(probability: 0.1, mode: "const")"#
  ) { arguments throws(ScriptError) in
    .randomErasing(
      RandomErasing(
        probability: try arguments.number("probability"), area: try arguments.pair("area", within: 0.0001...1),
        aspect: try arguments.pair("aspect", within: 0.01...100),
        mode: RandomErasing.Mode(rawValue: try arguments.string("mode")) ?? .pixel,
        most: try arguments.integer("most")))
  },
  change(
    "colorJitter", "Brightness, contrast, saturation and hue changed by random factors in random order, as torchvision.",
    [
      share("brightness", "Factors from 1 less this to 1 and this.", default: 0, to: 100),
      share("contrast", "The same.", default: 0, to: 100), share("saturation", "The same.", default: 0, to: 100),
      share("hue", "Turns by up to this share of the circle, either way.", default: 0, to: 0.5),
    ], example: "colorJitter(brightness: 0.4, contrast: 0.4)"
  ) { arguments throws(ScriptError) in
    .colorJitter(
      ColorJitter(
        brightness: try arguments.number("brightness"), contrast: try arguments.number("contrast"),
        saturation: try arguments.number("saturation"), hue: try arguments.number("hue")))
  },
  change(
    "colorNoise",
    "One colour added to all of an image, along the principal components of ImageNet's (Krizhevsky et al. 2012); grey images stay.",
    [share("std", "Of the numbers that the eigenvalues are taken by.", default: 0.1, to: 100)],
    example: "colorNoise(std: 0.05)"
  ) { arguments throws(ScriptError) in .colorNoise(std: try arguments.number("std")) },
  change(
    "repeatedAugmentation",
    "Each image several times, each copy changed in its own way, in as many steps as before (Hoffer et al. 2020). As timm's RepeatAugSampler does, copies are dealt in turn: to processes, and to the parts of a batch (microBatch).",
    [Parameter("times", .integer, "How often.", default: .number(3), labelled: true, allowed: 1...16)],
    example: "repeatedAugmentation(times: 2)"
  ) { arguments throws(ScriptError) in .repeated(times: try arguments.integer("times")) },
]
