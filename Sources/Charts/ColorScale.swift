/// From a value to a colour: dark for small values, bright for large ones.
package enum ColorScale {
  /// Every seventeenth of the 256 colours of viridis (van der Walt, Smith and Firing, 2015; CC0): of even steps of
  /// lightness, also for colour-blind readers and in grey.
  private static let viridis: [Color] = [
    0x440154, 0x481A6C, 0x472F7D, 0x414487, 0x39568C, 0x31688E, 0x2A788E, 0x23888E, 0x1F988B, 0x22A884, 0x35B779,
    0x54C568, 0x7AD151, 0xA5DB36, 0xD2E21B, 0xFDE725,
  ].map(Color.init)

  /// - Parameter share: From 0 to 1; cut off outside.
  package static func color(_ share: Double) -> Color {
    let place = max(0, min(1, share)) * Double(viridis.count - 1)
    let below = min(Int(place), viridis.count - 2)
    let (a, b, rest) = (viridis[below], viridis[below + 1], place - Double(below))
    func mix(_ a: UInt8, _ b: UInt8) -> UInt32 { UInt32(Double(a) + (Double(b) - Double(a)) * rest + 0.5) }
    return Color(mix(a.red, b.red) << 16 | mix(a.green, b.green) << 8 | mix(a.blue, b.blue))
  }
}
