/// What a claim speaks of, which is what another measurement would draw again.
public enum Population: String, Hashable, Sendable, Codable, CaseIterable {
  /// A count, a size or a cost: nothing is drawn.
  case exact
  /// These weights on these images: nothing is drawn, the count is what it is.
  case sameImages
  /// These weights, on images like these: other images.
  case weights
  /// This recipe, on these images: other seeds.
  case recipe
  /// This recipe, on images like these: other seeds and other images.
  case recipeAndImages
  /// This machine: other rounds of the same timing.
  case timing

  /// What scripts may name: a timing says itself that it is one.
  static let named: [Population] = [.exact, .weights, .recipe, .recipeAndImages]

  var text: String {
    switch self {
    case .exact: "an exact number"
    case .sameImages: "these weights, on these images"
    case .weights: "these weights, on images like these"
    case .recipe: "this recipe, on these images"
    case .recipeAndImages: "this recipe, on images like these"
    case .timing: "rounds on this machine"
    }
  }
}
