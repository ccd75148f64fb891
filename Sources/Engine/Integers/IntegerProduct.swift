internal import CKernels
internal import Networks
internal import Tensors

/// A convolution or dense layer on integers: its kernel's arguments, and what of the weights they point to.
final class IntegerProduct {
  private let arguments: UnsafeMutablePointer<rk_int8_convolution>
  /// In the kernel's form, whose size the weights decide.
  private var packed: AlignedBuffer
  private let bias, scales: AlignedBuffer
  private let group: IntegerFusions.Product

  /// - Parameter arguments: all that follows from shapes.
  init(_ arguments: rk_int8_convolution, _ group: IntegerFusions.Product) throws(EngineError) {
    self.group = group
    var arguments = arguments
    let channels = Int(arguments.out_channels)
    packed = try buffer(byteCount: 0)
    bias = try buffer(byteCount: channels * 4)
    scales = try buffer(byteCount: channels * 4)
    arguments.bias = UnsafePointer(bias.pointer.assumingMemoryBound(to: Int32.self))
    arguments.scales = UnsafePointer(scales.floats)
    arguments.kernel = withUnsafePointer(to: arguments) { rk_int8_choose($0) }
    self.arguments = .allocate(capacity: 1)
    self.arguments.initialize(to: arguments)
  }
  deinit { arguments.deallocate() }

  var byteCount: Int { packed.byteCount + bias.byteCount + scales.byteCount }
  var kernel: String { String(cString: rk_int8_name(arguments.pointee.kernel)) }
  func scratch(threads: Int) -> Int { Int(rk_int8_scratch(arguments, Int32(threads))) }

  /// Takes the places of its arrays.
  func prepare(
    _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, residual: UnsafeRawPointer?, scratch: UnsafeMutableRawPointer
  ) {
    arguments.pointee.x = x.assumingMemoryBound(to: UInt8.self)
    if group.quantizer == nil {
      arguments.pointee.y_real = y.assumingMemoryBound(to: Float.self)
    } else {
      arguments.pointee.y = y.assumingMemoryBound(to: UInt8.self)
    }
    arguments.pointee.residual = residual?.assumingMemoryBound(to: UInt8.self)
    arguments.pointee.scratch = scratch
  }

  func run() { rk_int8_convolve(arguments) }

  /// Takes the weights of a network with batch norms folded in.
  /// - Throws: `EngineError.sumsTooLarge` where activations exist whose sum would not fit.
  func load(_ network: Network, _ weights: Weights) throws(EngineError) {
    guard let layer = network.integerLayer(of: group.layer, weights), let input = layer.input else {
      preconditionFailure("a layer that is not in integers")
    }
    let levels = layer.weights.values
    let bytes = levels.map { Int8($0) }
    packed = try buffer(byteCount: Int(rk_int8_packed_bytes(arguments, bytes)))
    rk_int8_pack(arguments, bytes, packed.pointer)
    arguments.pointee.weights = UnsafeRawPointer(packed.pointer)
    let channels = Int(arguments.pointee.out_channels)
    let count = levels.count / channels
    let output = group.quantizer.flatMap { network.quantizer(of: $0, weights) }
    let bias = bias.pointer.assumingMemoryBound(to: Int32.self)
    for c in 0..<channels {
      var (positive, negative) = (0, 0)
      for level in levels[c * count..<(c + 1) * count] {
        if level > 0 { positive += Int(level) } else { negative -= Int(level) }
      }
      let own = Int(layer.bias?[c] ?? 0)
      // Stored activations are 0 to 255, whatever their quantizer's levels.
      let above = 255 - input.zero, below = input.zero
      let most = own + positive * above + negative * below, least = own - positive * below - negative * above
      guard Int32(exactly: most) != nil, Int32(exactly: least) != nil else {
        throw .sumsTooLarge(layer: network[group.layer].name)
      }
      bias[c] = Int32(truncatingIfNeeded: own - input.zero * (positive - negative))  // sums wrap too
      scales.floats[c] = Float(Double(layer.scale(ofChannel: c)) / Double(output?.scale ?? 1))
    }
    arguments.pointee.zero = Int32(input.zero)
    guard let output else { return }
    arguments.pointee.y_zero = Int32(output.zero)
    let range = output.levels(after: group.activation.flatMap { network[$0].operation.fusedActivation })
    (arguments.pointee.low, arguments.pointee.high) = (range.low, range.high)
    guard let sum = group.sum, let residual = network.quantizer(of: sum.others[0], weights),
      let total = network.quantizer(of: sum.quantizer, weights)
    else { return }
    arguments.pointee.q_factor = Float(Double(output.scale) / Double(total.scale))
    arguments.pointee.r_factor = Float(Double(residual.scale) / Double(total.scale))
    (arguments.pointee.r_zero, arguments.pointee.sum_zero) = (Int32(residual.zero), Int32(total.zero))
    let sumRange = total.levels(after: sum.activation.flatMap { network[$0].operation.fusedActivation })
    (arguments.pointee.sum_low, arguments.pointee.sum_high) = (sumRange.low, sumRange.high)
  }
}

extension Quantizer {
  /// What is left of the levels by an activation that comes before rounding.
  func levels(after activation: FusedActivation?) -> (low: Int32, high: Int32) {
    let (lowest, highest) = (levels.lowerBound, levels.upperBound)
    return switch activation {
    case .relu: (Int32(max(lowest, stored(0))), Int32(highest))
    case .clip(let rules): (Int32(max(lowest, stored(rules.low))), Int32(min(highest, stored(rules.high))))
    case nil: (Int32(lowest), Int32(highest))
    }
  }
}
