extension Axis {
  /// The range that is asked for, where the scale can show it.
  var usableRange: ClosedRange<Double>? {
    range.flatMap {
      Mapping.isShown($0.lowerBound, scale) && Mapping.isShown($0.upperBound, scale) && $0.lowerBound < $0.upperBound
        ? $0 : nil
    }
  }

  /// The most that a value can be: all, where shares are measured.
  private var most: Double { format == .percent ? 1 : label.contains("%") ? 100 : .infinity }

  /// The ticks of an axis over `span`, or over what the axis asks for.
  ///
  /// Ticks are only where data can be: at integers where all data are such, up to 100 % of a share, and on an axis
  /// of places that count something between the first and the last.
  ///
  /// - Parameters:
  ///   - padding: The share of the range that stays free on each side.
  ///   - room: The share of the axis that stays free beyond the largest value, and below the least negative one, for
  ///     what is written there.
  func ticks(
    over span: Span?, atMost limit: Int, padding: Double, ofPlaces: Bool = false, room: Double = 0
  ) -> Ticks {
    let asked = usableRange
    let low = asked?.lowerBound ?? span?.low ?? (scale == .log ? 1 : 0)
    let high = asked?.upperBound ?? span?.high ?? (scale == .log ? 10 : 1)
    let padding = asked == nil && span != nil ? padding : 0
    let room = asked == nil && span != nil ? room : 0
    if scale == .log {
      if let span, asked == nil, span.arePowersOfTwo, span.last >= 4 * span.first {
        return .powersOfTwo(low, high, atMost: limit, padding: padding)
      }
      var ticks = Ticks.logarithmic(low, high, atMost: limit, padding: padding)
      ticks.makeRoom(room, beyond: high, isLog: true)
      return ticks
    }
    let ceiling = high <= most ? most : .infinity
    let areIntegers = span?.areIntegers == true
    var ticks = Ticks.linear(
      low, high, atMost: limit, integers: areIntegers, padding: padding, floor: 0, ceiling: ceiling,
      within: ofPlaces && areIntegers ? span.map { $0.first...$0.last } : nil)
    if ofPlaces, asked == nil, let places = span?.evenPlaces, places.count <= limit {
      (ticks.major, ticks.minor, ticks.mantissa, ticks.exponent) = (places, [], 1, 0)
    }
    // A curve along the upper edge is not cut in half.
    ticks.makeRoom(padding > 0 && ceiling.isFinite ? max(room, 0.025) : room, beyond: high)
    if low < 0 && room > 0 { ticks.low = min(ticks.low, low - (high - low) * room / (1 - room)) }
    return ticks
  }
}
