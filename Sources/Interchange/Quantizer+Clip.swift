internal import Networks

extension Quantizer {
  /// Whether rounding does what a clip before it would do: what the clip cuts off are numbers of the outermost levels.
  func ends(within clip: Clip) -> Bool {
    stored(clip.low) == levels.lowerBound && stored(clip.high) == levels.upperBound
  }
}
