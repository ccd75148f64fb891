import CKernels
import Foundation
import Tensors
import Testing

/// A convolution on integers: shapes, weights, activations and quantizers.
private struct KernelCase: CustomTestStringConvertible, @unchecked Sendable {  // Sendable: shape points nowhere
  var shape = rk_int8_convolution()
  var weights: [Int8] = []
  var input: [UInt8] = []
  var residual: [UInt8]?
  var bias: [Int32] = []
  var scales: [Float] = []
  /// Whether the result stays real.
  var isFloat = false

  var count: Int { Int(shape.batch * shape.out_height * shape.out_width * shape.out_channels) }

  var testDescription: String {
    let s = shape
    return "\(s.batch) x \(s.height) x \(s.width) x \(s.channels) to \(s.out_height) x \(s.out_width) x "
      + "\(s.out_channels), window \(s.kernel_height) x \(s.kernel_width), stride \(s.stride_height) x "
      + "\(s.stride_width), dilation \(s.dilation_height) x \(s.dilation_width), padding \(s.pad_top) x "
      + "\(s.pad_left), groups \(s.groups)\(residual == nil ? "" : ", residual")\(isFloat ? ", float" : "")"
  }

  /// Random numbers for the shapes that are there.
  /// - Parameter largest: whether weights are the largest that there are; else that is drawn too.
  mutating func fill(_ random: inout some RandomNumberGenerator, largest: Bool = false) {
    func draw<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> Number { .random(in: range, using: &random) }
    let perChannel = Int(shape.channels) / Int(shape.groups) * Int(shape.kernel_height * shape.kernel_width)
    let channels = Int(shape.out_channels)
    // All that fits, what is largest, or about what layers have.
    let kind = largest ? 1 : draw(0...2)
    weights = (0..<channels * perChannel).map { _ in
      kind == 0
        ? draw(-128...127)
        : kind == 1 ? (draw(0...7) == 0 ? 127 : -128) : (draw(-40...40) + draw(-40...40) + draw(-40...40))
    }
    let bytes = Int(shape.batch * shape.height * shape.width * shape.channels)
    input = (0..<bytes).map { _ in kind == 1 ? draw(0...1) * 255 : draw(0...255) }
    shape.zero = draw(0...255)
    bias = (0..<channels).map { c in
      let sum = weights[c * perChannel..<(c + 1) * perChannel].reduce(0) { $0 + Int32($1) }
      return draw(-3000...3000) &- shape.zero &* sum
    }
    scales = (0..<channels).map { _ in Float(draw(1...200)) / 100 / (Float(perChannel).squareRoot() * 80) }
    shape.y_zero = draw(0...255)
    (shape.low, shape.high) = (draw(0...shape.y_zero), draw(shape.y_zero...255))
    isFloat = largest || draw(0...7) == 0  // floats are never cut
    guard !isFloat, Bool.random(using: &random) else { return }
    residual = (0..<count).map { _ in draw(0...255) }
    (shape.q_factor, shape.r_factor) = (Float(draw(20...140)) / 100, Float(draw(20...140)) / 100)
    (shape.r_zero, shape.sum_zero) = (draw(0...255), draw(0...255))
    (shape.sum_low, shape.sum_high) = (draw(0...100), draw(120...255))
  }

  /// What a kernel writes.
  func result(of kernel: Int32) -> [UInt8] {
    var p = shape
    p.kernel = kernel
    func memory(_ bytes: Int64) -> UnsafeMutableRawPointer {
      .allocate(byteCount: Int(max(bytes, 1)), alignment: 64)
    }
    let packed = memory(rk_int8_packed_bytes(&p, weights))
    let scratch = memory(rk_int8_scratch(&p, 4))
    let x = memory(Int64(input.count))
    let y = memory(Int64(count * 4))
    defer { for pointer in [packed, scratch, x, y] { pointer.deallocate() } }
    rk_int8_pack(&p, weights, packed)
    x.copyMemory(from: input, byteCount: input.count)
    p.weights = UnsafeRawPointer(packed)
    p.scratch = scratch
    p.x = UnsafePointer(x.assumingMemoryBound(to: UInt8.self))
    if isFloat {
      p.y_real = y.assumingMemoryBound(to: Float.self)
    } else {
      p.y = y.assumingMemoryBound(to: UInt8.self)
    }
    if let residual {
      // As in a plan, the result takes the residual's place.
      y.copyMemory(from: residual, byteCount: residual.count)
      p.residual = UnsafePointer(p.y)
    }
    bias.withUnsafeBufferPointer { bias in
      scales.withUnsafeBufferPointer { scales in
        p.bias = bias.baseAddress
        p.scales = scales.baseAddress
        rk_int8_convolve(&p)
      }
    }
    return Array(UnsafeRawBufferPointer(start: y, count: isFloat ? count * 4 : count))
  }

  func isTaken(by kernel: Int32) -> Bool {
    var p = shape
    return rk_int8_accepts(kernel, &p) != 0
  }
}

extension KernelCase {
  /// Layers of every kind, most of them small.
  static let samples: [KernelCase] = {
    var random = RandomKey(seed: 11, for: .synthetic).generator()
    func draw<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> Number { .random(in: range, using: &random) }
    var result: [KernelCase] = []
    while result.count < 160 {
      var item = KernelCase()
      // Every eighth is large enough for tiles, blocks and panels to be many.
      let side: Int64 = result.count % 8 == 0 ? 26 : 11
      (item.shape.batch, item.shape.height, item.shape.width) = (draw(1...3), draw(1...side), draw(1...side))
      let square: Int32 = [1, 3, 3, 5, 2][draw(0...4)]
      (item.shape.kernel_height, item.shape.kernel_width) =
        draw(0...3) > 0 ? (square, square) : (draw(1...7), draw(1...5))
      if result.count % 16 == 5 {
        (item.shape.kernel_height, item.shape.kernel_width) = (Int32(item.shape.height), Int32(item.shape.width))
      }
      let stride: Int32 = [1, 1, 2, 3][draw(0...3)]
      (item.shape.stride_height, item.shape.stride_width) =
        draw(0...3) > 0 ? (stride, stride) : (draw(1...3), draw(1...2))
      let dilation: Int32 = [1, 1, 1, 2][draw(0...3)]
      (item.shape.dilation_height, item.shape.dilation_width) = (dilation, draw(0...3) > 0 ? dilation : 1)
      item.shape.pad_top = draw(0...item.shape.kernel_height / 2)
      item.shape.pad_left = draw(0...item.shape.kernel_width / 2)
      let height = item.shape.height + Int64(2 * item.shape.pad_top - (item.shape.kernel_height - 1) * dilation - 1)
      let width =
        item.shape.width
        + Int64(2 * item.shape.pad_left - (item.shape.kernel_width - 1) * item.shape.dilation_width - 1)
      guard height >= 0, width >= 0 else { continue }
      item.shape.out_height = height / Int64(item.shape.stride_height) + 1
      item.shape.out_width = width / Int64(item.shape.stride_width) + 1
      item.shape.groups = 1
      switch result.count % 5 {
      case 0:
        item.shape.groups = draw(2...150)
        (item.shape.channels, item.shape.out_channels) = (Int64(item.shape.groups), Int64(item.shape.groups))
      case 1:
        item.shape.groups = draw(1...4)
        (item.shape.channels, item.shape.out_channels) = (draw(1...24), draw(1...24))
        item.shape.channels *= Int64(item.shape.groups)
        item.shape.out_channels *= Int64(item.shape.groups)
      case 2: (item.shape.channels, item.shape.out_channels) = (16 * draw(1...8), draw(1...150))
      case 3: (item.shape.channels, item.shape.out_channels) = (draw(1...4), draw(1...70))
      default: (item.shape.channels, item.shape.out_channels) = (draw(1...150), draw(1...200))
      }
      item.fill(&random)
      result.append(item)
    }
    // Wide enough for Winograd's algorithm; the first has weights that are too large for one of its kernels.
    for index in 0..<12 {
      var item = KernelCase()
      (item.shape.batch, item.shape.height, item.shape.width) = (2, draw(13...17), draw(13...17))
      (item.shape.kernel_height, item.shape.kernel_width) = (3, 3)
      (item.shape.stride_height, item.shape.stride_width) = (1, 1)
      (item.shape.dilation_height, item.shape.dilation_width) = (1, 1)
      (item.shape.pad_top, item.shape.pad_left) = (draw(0...2), draw(0...2))
      item.shape.out_height = item.shape.height + 2 * Int64(item.shape.pad_top) - 2
      item.shape.out_width = item.shape.width + 2 * Int64(item.shape.pad_left) - 2
      item.shape.groups = 1
      item.shape.channels = index == 0 ? 192 : 32 * draw(1...3)
      item.shape.out_channels = draw(32...100)
      item.fill(&random, largest: index == 0)
      result.append(item)
    }
    return result
  }()
}

/// Runs work on a thread with a team of its own.
private func onTeam<Result: Sendable>(threads: Int, _ work: @escaping @Sendable () -> Result) -> Result {
  nonisolated(unsafe) var result: Result?
  let isDone = DispatchSemaphore(value: 0)
  let thread = Thread {
    rk_prepare_team(Int32(threads))
    result = work()
    isDone.signal()
  }
  thread.stackSize = 16 << 20
  thread.start()
  isDone.wait()
  return result!
}

/// Ends a test that cannot run here, and says so: the console does not.
private func skip(_ reason: String) throws -> Never {
  print("skipped: \(reason)")
  try Test.cancel(Comment(rawValue: reason))
}

@Suite("kernels on integers", .serialized) struct IntegerKernelTests {
  private static let definition = rk_int8_kernels() - 1

  @Test("each gives the bytes of the definition, with any number of threads", arguments: 0..<definition)
  func bytes(_ kernel: Int32) throws {
    let name = String(cString: rk_int8_name(kernel))
    let samples = KernelCase.samples.filter { $0.isTaken(by: kernel) }
    if samples.isEmpty { try skip("this processor cannot run '\(name)'") }
    let definition = Self.definition
    for sample in samples {
      let expected = onTeam(threads: 2) { sample.result(of: definition) }
      for threads in 1...3 {
        let found = onTeam(threads: threads) { sample.result(of: kernel) }
        #expect(found == expected, "\(name), \(threads) threads: \(sample.testDescription)")
      }
    }
  }

  @Test("the definition takes every layer, and every layer has a kernel")
  func choice() {
    for sample in KernelCase.samples {
      #expect(sample.isTaken(by: Self.definition))
      var p = sample.shape
      let chosen = rk_int8_choose(&p)
      #expect((0..<chosen).allSatisfy { !sample.isTaken(by: $0) } && sample.isTaken(by: chosen))
    }
  }

  @Test("sums that leave 32 bits on the way and come back are exact", arguments: 0...definition)
  func wrapping(_ kernel: Int32) throws {
    // One pixel and a window as large as the image: many products of the largest numbers, and a bias as large again.
    var item = KernelCase()
    item.shape.batch = 1
    (item.shape.height, item.shape.width, item.shape.channels) = (1, 1, 70_000)
    (item.shape.out_height, item.shape.out_width, item.shape.out_channels) = (1, 1, 3)
    (item.shape.kernel_height, item.shape.kernel_width, item.shape.stride_height, item.shape.stride_width) = (
      1, 1, 1, 1
    )
    (item.shape.dilation_height, item.shape.dilation_width, item.shape.groups) = (1, 1, 1)
    guard item.isTaken(by: kernel) else {
      try skip("'\(String(cString: rk_int8_name(kernel)))' does not run it on this processor")
    }
    item.weights = [Int8](repeating: 127, count: 140_000) + [Int8](repeating: -128, count: 70_000)
    item.input = [UInt8](repeating: 255, count: 70_000)
    item.shape.zero = 250
    item.bias = [127, 127, -128].map { 1000 &- 250 &* Int32(truncatingIfNeeded: $0 * 70_000) }
    item.scales = [1, 2, 1]
    item.isFloat = true
    let sample = item
    let found = onTeam(threads: 2) { sample.result(of: kernel) }
    let sums = [127, 127, -128].map { Float(1000 + 5 * $0 * 70_000) }
    #expect(found.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } == [sums[0], 2 * sums[1], sums[2]])
  }
}
