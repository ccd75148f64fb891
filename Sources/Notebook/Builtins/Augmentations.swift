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
  "Augmentations of the training images, in order: names, or values such as randAugment(magnitude: 7). \"flip\" mirrors half of the images; \"crop\" pads by an eighth of the shorter side and crops at random.",
  default: .list([Value]()), labelled: true, neutral: .list([Value]()))

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
  "filter", .oneOf(Interpolation.allCases.map(\.rawValue)), "Interpolation. \"random\" chooses one for each image.",
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
    "Crops a random part and resizes it to the size of the image (Szegedy et al. 2015), with torchvision's sampling. It must come first in augment.",
    [
      pairParameter("area", "Area of the part, as a share of the image: least and most.", default: [0.08, 1]),
      pairParameter("aspect", "Aspect ratio, width to height: least and most.", default: [0.75, 4.0 / 3]), filterParameter,
    ], example: #"randomResizedCrop(area: [0.35, 1], filter: "random")"#
  ) { arguments throws(ScriptError) in
    .randomResizedCrop(
      area: try arguments.pair("area", within: 0.0001...1), aspect: try arguments.pair("aspect", within: 0.01...100),
      filter: try arguments.interpolation())
  },
  change(
    "scaleJitter",
    "Resizes the image to a random length of its shorter side and crops a random part (He et al. 2015, section 3.4).",
    [pairParameter("shortSide", "Length of the shorter side in pixels: least and most.", default: [256, 480]), filterParameter],
    example: "scaleJitter(shortSide: [28, 40])"
  ) { arguments throws(ScriptError) in
    let side = try arguments.pair("shortSide", within: 1...16_384)
    return .scaleJitter(shortSide: Int(side.lowerBound)...Int(side.upperBound), filter: try arguments.interpolation())
  },
  change(
    "randAugment",
    "Applies RandAugment (Cubuk et al. 2020) with the sampling of timm 1.0. Operations: autoContrast, equalize, invert, rotate, posterize, solarize, solarizeAdd, color, contrast, brightness, sharpness, shear and translate.",
    [
      share("magnitude", "Mean magnitude, from 0 to 10.", default: 9, to: 10),
      share("std", "Standard deviation of the magnitude.", default: 0.5, to: 100),
      Parameter("layers", .integer, "Operations per image.", default: .number(2), labelled: true, allowed: 1...16),
      share("probability", "Probability of applying each of them.", default: 0.5),
      Parameter(
        "increasing", .bool, "Whether a larger magnitude always means a stronger change (inc1 in timm).", default: .bool(false),
        labelled: true),
      Parameter(
        "filter", .oneOf(Interpolation.allCases.map(\.rawValue)), "Interpolation of rotate, shear and translate. \"random\" chooses one for each image.",
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
    "randomErasing", "Replaces a random rectangle by noise or by the mean (random erasing, Zhong et al. 2017), with timm's sampling.",
    [
      share("probability", "Probability of erasing an image.", default: 0.25),
      pairParameter("area", "Area of the rectangle, as a share of the image: least and most.", default: [0.02, 1.0 / 3]),
      pairParameter("aspect", "Aspect ratio, height to width: least and most.", default: [0.3, 1 / 0.3]),
      Parameter(
        "mode", .oneOf(RandomErasing.Mode.allCases.map(\.rawValue)),
        "Content of the rectangle: const is the mean, rand one random value per channel, pixel random values for all pixels.",
        default: .string("pixel"), labelled: true),
      Parameter(
        "most", .integer, "Maximum number of rectangles; the number is sampled from 1 to this.", default: .number(1), labelled: true,
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
    "colorJitter", "Changes brightness, contrast, saturation and hue by random factors in random order, as torchvision's ColorJitter does.",
    [
      share("brightness", "Factors are sampled from 1 - brightness to 1 + brightness.", default: 0, to: 100),
      share("contrast", "Factors are sampled from 1 - contrast to 1 + contrast.", default: 0, to: 100), share("saturation", "Factors are sampled from 1 - saturation to 1 + saturation.", default: 0, to: 100),
      share("hue", "Maximum shift of the hue, as a share of the circle, in either direction.", default: 0, to: 0.5),
    ], example: "colorJitter(brightness: 0.4, contrast: 0.4)"
  ) { arguments throws(ScriptError) in
    .colorJitter(
      ColorJitter(
        brightness: try arguments.number("brightness"), contrast: try arguments.number("contrast"),
        saturation: try arguments.number("saturation"), hue: try arguments.number("hue")))
  },
  change(
    "colorNoise",
    "Adds a random colour along the principal components of ImageNet's colours (PCA colour augmentation, Krizhevsky et al. 2012). Grey images do not change.",
    [share("std", "Standard deviation of the factors of the components.", default: 0.1, to: 100)],
    example: "colorNoise(std: 0.05)"
  ) { arguments throws(ScriptError) in .colorNoise(std: try arguments.number("std")) },
  change(
    "repeatedAugmentation",
    "Shows each image several times per epoch, each copy with its own random changes (repeated augmentation, Hoffer et al. 2020). An epoch keeps its number of steps, so it shows fewer different images. As with timm's RepeatAugSampler, the copies go to different processes and micro-batches.",
    [Parameter("times", .integer, "Copies of each image.", default: .number(3), labelled: true, allowed: 1...16)],
    example: "repeatedAugmentation(times: 2)"
  ) { arguments throws(ScriptError) in .repeated(times: try arguments.integer("times")) },
]
