internal import Datasets
internal import ModelZoo
internal import Networks
internal import Script
internal import Tensors

private let shapeSource = Parameter(
  "data", .dataset, "Dataset that gives the input shape and the number of classes.", optional: true)
private func classesParameter(_ standard: Int) -> Parameter {
  Parameter(
    "classes", .integer, "Number of classes. Default: that of data, else \(standard).",
    optional: true, labelled: true, allowed: 1...1_000_000)
}
private let inputParameter = Parameter(
  "input", .list(of: .integer),
  "Input shape: channels, height, width. Default: that of data, else that of the dataset it is trained on.",
  optional: true, labelled: true)

/// Makes a network of the arguments `data`, `classes` and `input`.
private func network(
  _ arguments: Arguments, input standardInput: Shape, classes standardClasses: Int,
  build: @escaping @Sendable (Shape, Int) throws(ShapeError) -> Network
) throws -> Value {
  let data = try arguments.has("data") ? arguments.object("data", as: DatasetValue.self).data : nil
  let input = try arguments.has("input") ? arguments.imageShape("input") : data?.imageShape
  let classes = try arguments.integerIfGiven("classes") ?? data?.classes.count ?? standardClasses
  return .object(
    try NetworkValue(for: input ?? standardInput, isFixed: input != nil) { input throws(ShapeError) in
      try build(input, classes)
    })
}

/// A built-in for each entry of the zoo, with its options.
let zooBuiltins = ModelZoo.all.map { entry in
  Builtin(
    entry.name, "\(entry.documentation) \(entry.source).",
    parameters: [shapeSource, classesParameter(entry.classes), inputParameter] + entry.options.map(\.parameter),
    result: .network,
    examples: [Example("\(entry.name)(classes: 4, input: [1, 32, 32]).classes", gives: "4")], chapter: "Networks"
  ) { arguments in
    var options: [String: ZooValue] = [:]
    for option in entry.options { options[option.name] = ZooValue(arguments.value(option.name)) }
    return try network(arguments, input: entry.input, classes: entry.classes) { [options] input, classes throws(ShapeError) in
      try entry.make(input: input, classes: classes, options: options)
    }
  }
}

extension ZooOption {
  /// The option as a built-in's parameter.
  fileprivate var parameter: Parameter {
    let (type, allowed): (ValueType, ClosedRange<Double>?) =
      switch kind {
      case .number(let range): (.number, range)
      case .count(let range): (.integer, Double(range.lowerBound)...Double(range.upperBound))
      case .flag: (.bool, nil)
      case .choice(let choices): (.oneOf(choices), nil)
      }
    let standard: Value =
      switch self.standard {
      case .number(let number): .number(number)
      case .flag(let flag): .bool(flag)
      case .choice(let choice): .string(choice)
      }
    return Parameter(name, type, documentation, default: standard, labelled: true, allowed: allowed)
  }
}

extension ZooValue {
  fileprivate init?(_ value: Value) {
    switch value {
    case .number(let number): self = .number(number)
    case .bool(let flag): self = .flag(flag)
    case .string(let choice): self = .choice(choice)
    default: return nil
    }
  }
}

let resnet = Builtin(
  "resnet",
  "Builds a ResNet of any depth: 18, 34, 50, 101 or 152 as for ImageNet, or 6n + 2 (8, 14, 20, …) as for CIFAR-10 (He et al. 2015).",
  parameters: [
    Parameter("depth", .integer, "Number of layers with weights: 18, 34, 50, 101, 152, or 6n + 2.", allowed: 8...1202),
    shapeSource, classesParameter(1000), inputParameter,
  ], result: .network,
  examples: [
    Example("resnet(depth: 20, classes: 10).parameters", gives: "269722"),
    Example("resnet(depth: 8, classes: 10, input: [1, 28, 28]).parameters"),
  ], chapter: "Networks"
) { arguments in
  let depth = try arguments.integer("depth")
  if let entry = ModelZoo.entry(named: "resnet\(depth)") {
    return try network(arguments, input: entry.input, classes: entry.classes) { input, classes throws(ShapeError) in
      try entry.make(input: input, classes: classes)
    }
  }
  guard depth % 6 == 2 else {
    throw arguments.failure(
      "there is no ResNet of \(depth) layers", hint: "18, 34, 50, 101, 152, or 6n + 2: 8, 14, 20, …", at: "depth")
  }
  return try network(arguments, input: [3, 32, 32], classes: 10) { input, classes throws(ShapeError) in
    try CIFARResNet(depth: depth).network(input: input, classes: classes)
  }
}

private let anyNetwork = Parameter("network", .either([.network, .model]), "A network or a model.")

extension Arguments {
  /// The layers of a network or of a model.
  func layers(_ label: String) throws(ScriptError) -> Network {
    if case .object(let object) = value(label), let model = object as? ModelValue { return model.network }
    return try object(label, as: NetworkValue.self).network
  }
}

let parameters = Builtin(
  "parameters", "Returns the number of trainable parameters of a network.", parameters: [anyNetwork], result: .integer,
  examples: [Example("parameters(resnet50())", gives: "25557032")], chapter: "Networks"
) { arguments in .count(try arguments.layers("network").parameterCount) }

let macs = Builtin(
  "macs", "Returns the multiply-accumulates (MACs) of a network for one image, in convolutions and dense layers, as papers count them.",
  parameters: [anyNetwork], result: .integer, examples: [Example("macs(resnet50())", gives: "4089184256")],
  chapter: "Networks"
) { arguments in .count(try arguments.layers("network").macs) }

let show = Builtin(
  "show", "Prints a value as the prompt shows it: for a network its table of layers, for a run its epochs.",
  parameters: [Parameter("value", .any, "Any value.")], result: .none,
  examples: [Example("show(resnet8())")], chapter: "Networks"
) { arguments in
  arguments.context.print(arguments.value("value").shownPieces)
  return .none
}
