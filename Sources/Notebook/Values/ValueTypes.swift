internal import Script
internal import Tensors

extension ValueType {
  static let dataset = ValueType.object("dataset")
  static let network = ValueType.object("network")
  static let model = ValueType.object("model")
  static let run = ValueType.object("run")
  static let storedRun = ValueType.object("storedRun")
  static let series = ValueType.object("series")
  static let array = ValueType.object("array")
  static let chart = ValueType.object("chart")
  static let comparison = ValueType.object("comparison")
  static let confusion = ValueType.object("confusionMatrix")
  static let search = ValueType.object("search")
  static let claim = ValueType.object("claim")
  static let augmentation = ValueType.object("augmentation")

  /// What `evaluate` gives, and what a claim takes as measured on so many images.
  static let evaluation = ValueType.recordOf([
    "top1": .number, "top5": .number, "loss": .number, "correct": .integer, "count": .integer,
  ])
}

/// The kinds of values that the notebook adds to the language, in the order of the reference.
let notebookObjectTypes = [
  DatasetValue.type, NetworkValue.type, ModelValue.type, RunValue.type, StoredRunValue.type, SeriesValue.type, SearchValue.type,
  ArrayValue.type,
  ChartValue.type, ComparisonValue.type, ClaimValue.type, ConfusionValue.type, AugmentationValue.type,
]

extension Value {
  /// A shape as a list of its extents.
  static func shape(_ shape: Shape) -> Value { .list(shape.extents.map(Double.init)) }
  static func count(_ count: Int) -> Value { .number(Double(count)) }
}
