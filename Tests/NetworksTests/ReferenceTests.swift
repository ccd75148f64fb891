import Foundation
import Networks
import Tensors
import Testing

@Suite("definitions of operations") struct ReferenceTests {
  private func reference(
    _ operation: Networks.Operation, _ inputs: [[Double]], _ shapes: [Shape], _ parameters: [NDArray<Double>] = [],
    _ mode: ReferenceMode = .inference
  ) throws -> NDArray<Double> {
    let inputs = try zip(inputs, shapes).map { try NDArray($0, shape: $1) }
    return operation.rules.reference(inputs, parameters, mode)
  }

  private let nine = (1...9).map(Double.init)

  @Test("a convolution sums a window times its kernel, without turning the kernel around") func convolution() throws {
    let kernel = try NDArray([1.0, 0, 0, 0, 0, 0, 0, 0, 0], shape: [1, 1, 3, 3])
    let shifted = try reference(
      .convolution(Convolution(to: 1, Window(kernel: 3, padding: 1))), [nine], [[1, 1, 3, 3]], [kernel])
    #expect(shifted.elements == [0, 0, 0, 0, 1, 2, 0, 4, 5])
  }

  @Test("padding on one side moves the window of a convolution") func asymmetricPadding() throws {
    let ones = try NDArray([Double](repeating: 1, count: 9), shape: [1, 1, 3, 3])
    func sums(_ padding: Padding) throws -> [Double] {
      let window = Window(kernel: 3, stride: 2, padding: padding)
      return try reference(
        .convolution(Convolution(to: 1, window)), [(1...16).map(Double.init)], [[1, 1, 4, 4]], [ones]
      ).elements
    }
    #expect(try sums(Padding(top: 0, left: 0, bottom: 1, right: 1)) == [54, 45, 72, 54])
    #expect(try sums(1) == [14, 30, 57, 99])
  }

  @Test("a dilated kernel skips pixels") func dilation() throws {
    let ones = try NDArray([1.0, 1, 1, 1], shape: [1, 1, 2, 2])
    let y = try reference(
      .convolution(Convolution(to: 1, Window(kernel: 2, dilation: 2))), [nine], [[1, 1, 3, 3]], [ones])
    #expect(y.elements == [1 + 3 + 7 + 9])
  }

  @Test("each group of a convolution sees its own channels, and a bias is added") func groups() throws {
    let weight = try NDArray([1.0, 10, 100, 1000], shape: [4, 1, 1, 1])
    let bias = try NDArray([0.0, 0, 0, 7], shape: [4])
    let y = try reference(
      .convolution(Convolution(to: 4, Window(kernel: 1), groups: 2, hasBias: true)), [[1, 2, 3, 4]], [[2, 2, 1, 1]],
      [weight, bias])
    #expect(y.elements == [1, 10, 200, 2007, 3, 30, 400, 4007])
  }

  @Test("a max pool never lets its padding win") func maxPool() throws {
    let window = Window(kernel: 3, stride: 2, padding: 1)
    let y = try reference(.maxPool(MaxPool(window)), [nine.map { -$0 }], [[1, 1, 3, 3]])
    #expect(y.elements == [-1, -2, -4, -5])
  }

  @Test("an average pool counts its padding, or does not") func averagePool() throws {
    let window = Window(kernel: 3, stride: 2, padding: 1)
    let counted = try reference(.averagePool(AveragePool(window)), [nine], [[1, 1, 3, 3]])
    #expect(counted.elements == [12, 16, 24, 28].map { $0 / 9 })
    let left = try reference(.averagePool(AveragePool(window, countsPadding: false)), [nine], [[1, 1, 3, 3]])
    #expect(left.elements == [3, 4, 6, 7])
  }

  @Test("a global average pool takes the mean of each channel") func globalAveragePool() throws {
    let y = try reference(.globalAveragePool(GlobalAveragePool()), [[1, 3, 10, 30]], [[1, 2, 1, 2]])
    #expect(y.shape == [1, 2, 1, 1] && y.elements == [2, 20])
  }

  @Test("batch norm in training gives each channel mean β and variance γ²") func batchNorm() throws {
    let x = try noise([5, 3, 4, 4], seed: 1)
    let parameters = try [[1.0, 2, 3], [4, 5, 6], [9, 9, 9], [9, 9, 9]].map { try NDArray($0, shape: [3]) }
    let y = BatchNorm(epsilon: 0).reference([x], parameters, .training(seed: 0, step: 0, lane: 0))
    let elements = y.elements
    for c in 0..<3 {
      let channel: [Double] = (0..<5).flatMap { n in elements[(n * 3 + c) * 16..<(n * 3 + c + 1) * 16] }
      let mean = channel.reduce(0, +) / 80
      let squares = channel.map { ($0 - mean) * ($0 - mean) }
      let (scale, shift) = (parameters[0][flat: c], parameters[1][flat: c])
      #expect(abs(mean - shift) < 1e-12)
      #expect(abs(squares.reduce(0, +) / 80 - scale * scale) < 1e-12)
    }
  }

  @Test("running statistics move by the momentum, with the unbiased variance") func movedStatistics() throws {
    let x = try NDArray([1.0, 2, 3, 6], shape: [2, 1, 1, 2])  // mean 3, squares 4 + 1 + 0 + 9 = 14
    let moved = BatchNorm(momentum: 0.25).movedStatistics(
      mean: try NDArray([1.0], shape: [1]), variance: try NDArray([2.0], shape: [1]), by: x)
    #expect(moved.mean.elements == [0.75 * 1 + 0.25 * 3])
    #expect(abs(moved.variance[flat: 0] - (0.75 * 2 + 0.25 * 14 / 3)) < 1e-15)
  }

  @Test("a concatenation joins channels sample by sample") func concatenation() throws {
    let y = try reference(
      .concatenation(Concatenation()), [[1, 2, 3, 4], [5, 6]], [[2, 2, 1, 1], [2, 1, 1, 1]])
    #expect(y.shape == [2, 3, 1, 1] && y.elements == [1, 2, 5, 3, 4, 6])
  }

  @Test("element-wise operations") func elementwise() throws {
    let x = [-1.0, 0, 0.5, 7]
    #expect(try reference(.relu(ReLU()), [x], [[1, 4]]).elements == [0, 0, 0.5, 7])
    #expect(try reference(.clip(.relu6), [x], [[1, 4]]).elements == [0, 0, 0.5, 6])
    #expect(try reference(.sigmoid(Sigmoid()), [[0]], [[1, 1]]).elements == [0.5])
    #expect(try reference(.tanh(Tanh()), [[0]], [[1, 1]]).elements == [0])
    #expect(try reference(.add(Add()), [x, x], [[1, 4], [1, 4]]).elements == [-2, 0, 1, 14])
  }

  @Test("dropout drops where the words of its stream say so") func dropout() throws {
    let (rate, seed, step, lane, features) = (Float(0.3), UInt64(0x1234_5678_9ABC), 11, 5, 10)
    let x = [Double](repeating: 1, count: 3 * features)
    let y = try reference(
      .dropout(Dropout(rate: rate)), [x], [[3, features]], [], .training(seed: seed, step: step, lane: lane))
    let tail = UInt32(RandomPurpose.dropout.rawValue) << 16 | UInt32(lane)
    for n in 0..<3 {
      for i in 0..<features {
        let words = Philox.words(
          counter: SIMD4(UInt32(i / 4), UInt32(n), UInt32(step), tail), key: SIMD2(0x5678_9ABC, 0x1234))
        let isDropped = Float(words[i % 4] >> 8) * 0x1p-24 < rate
        #expect(y[flat: n * features + i] == (isDropped ? 0 : 1 / (1 - Double(rate))))
      }
    }
  }

  @Test("dropout drops its share and keeps the mean; inference drops nothing") func dropoutShare() throws {
    let x = [Double](repeating: 1, count: 40_000)
    let y = try reference(
      .dropout(Dropout(rate: 0.25)), [x], [[4, 10_000]], [], .training(seed: 1, step: 2, lane: 3)
    ).elements
    // Four standard deviations of a share of 40,000.
    #expect(abs(Double(y.count { $0 == 0 }) / 40_000 - 0.25) < 0.009)
    #expect(abs(y.reduce(0, +) / 40_000 - 1) < 0.012)
    #expect(try reference(.dropout(Dropout(rate: 0.25)), [x], [[4, 10_000]]).elements == x)
  }

  @Test("drop path drops whole samples") func dropPath() throws {
    let x = [Double](repeating: 3, count: 64 * 5)
    let y = try reference(
      .dropPath(DropPath(rate: 0.5)), [x], [[64, 5]], [], .training(seed: 1, step: 2, lane: 3)
    ).elements
    let rows = (0..<64).map { Array(y[$0 * 5..<$0 * 5 + 5]) }
    #expect(rows.allSatisfy { $0 == [0, 0, 0, 0, 0] || $0 == [6, 6, 6, 6, 6] })
    #expect((16...48).contains(rows.count { $0[0] == 0 }))
  }

  @Test("layers of a network drop apart, and each step again") func lanes() throws {
    var network = Network("two dropouts", input: [200])
    let first = try network.append(.dropout(Dropout(rate: 0.5)), to: network.input)
    try network.append(.dropout(Dropout(rate: 0.5)), to: network.input)
    let ones = try NDArray([Double](repeating: 1, count: 200), shape: [1, 200])
    let outputs = network.referenceActivations(ones, weights: [:], mode: .training(seed: 1, step: 0, lane: 0))
    #expect(outputs[first.index] != outputs[network.output.index])
    #expect(network.reference(ones, weights: [:], mode: .training(seed: 1, step: 1, lane: 0)) != outputs.last)
    #expect(network.reference(ones, weights: [:], mode: .training(seed: 1, step: 0, lane: 9)) == outputs.last)
  }

  @Test("a layer norm makes mean 0 and variance 1 of each token, then scales and shifts") func layerNorm() throws {
    let y = try reference(
      .layerNorm(LayerNorm(epsilon: 0)), [[1, 3, 10, 20]], [[1, 2, 2]],
      [try NDArray([1.0, 2], shape: [2]), try NDArray([0.0, 5], shape: [2])])
    #expect(y.elements == [-1, 7, -1, 7])
  }

  /// The rows are `gen_relative_position_index((2, 2))` of timm 1.0.31.
  @Test("attention looks its biases up where timm does") func attentionBiases() throws {
    let rows = [
      [11, 9, 9, 9, 9], [10, 4, 3, 1, 0], [10, 5, 4, 2, 1], [10, 7, 6, 4, 3], [10, 8, 7, 5, 4],
    ]
    // Without queries and keys the shares are the softmax of the biases; values are the tokens' unit vectors.
    var qkv = [Double](repeating: 0, count: 5 * 15)
    for token in 0..<5 { qkv[token * 15 + 10 + token] = 1 }
    let zeros = try NDArray<Double>(zeros: [5])
    let table = try NDArray((0..<12).map { 0.1 * Double($0) }, shape: [12, 1])
    let y = try reference(
      .attention(Attention(heads: 1, grid: 2)), [qkv], [[1, 5, 15]], [zeros, zeros, table])
    for (token, row) in rows.enumerated() {
      let total = row.reduce(0) { $0 + exp(0.1 * Double($1)) }
      for (other, index) in row.enumerated() {
        #expect(abs(y[flat: token * 5 + other] - exp(0.1 * Double(index)) / total) < 1e-12)
      }
    }
  }

  @Test("tokens are the pixels row by row after the class token, and their mean leaves it out") func tokens() throws {
    let y = try reference(
      .tokens(Tokens()), [[1, 2, 3, 4, 10, 20, 30, 40]], [[1, 2, 2, 2]], [try NDArray([7.0, 70], shape: [1, 1, 2])])
    #expect(y.shape == [1, 5, 2])
    #expect(y.elements == [7, 70, 1, 10, 2, 20, 3, 30, 4, 40])
    #expect(try reference(.tokenMean(TokenMean()), [y.elements], [[1, 5, 2]]).elements == [2.5, 25])
  }
}
