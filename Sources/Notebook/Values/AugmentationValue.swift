internal import Datasets
internal import Script

/// A random change to training images in the language.
struct AugmentationValue: ScriptObject, Equatable {
  let augmentation: Augmentation
  /// How it is written, such as `randAugment(magnitude: 7, std: 0.5)`.
  let summary: String

  static let type = ObjectType("augmentation", "A random augmentation of training images.")
  var typeName: String { Self.type.name }
}
