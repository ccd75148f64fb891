import Engine
import Foundation
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2, convolutions: .direct) }

struct OptimizerCase: Decodable, Sendable, CustomTestStringConvertible {
  struct File: Decodable {
    var steps: Int
    var cases: [OptimizerCase]
  }
  var name: String
  var scale, rate: Double
  var weights: [String: [Double]]
  var testDescription: String { name }
  static let file = TrainingGolden.read(File.self, "optimizers")

  var optimizer: Optimizer {
    switch name {
    case "sgd": .sgd(momentum: 0.9, nesterov: true)
    case "adam", "adam, small weights": .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    case "adamW", "adamW, small weights": .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    case "lamb", "lamb, small gradients": .lamb()
    case "lamb, not clipped": .lamb(clip: nil)
    case "lars": .lars(momentum: 0.9)
    case "lars, nesterov": .lars(momentum: 0.9, nesterov: true)
    case "rmsProp": .rmsProp(decay: 0.9, momentum: 0.9, epsilon: 0.001)
    case "rmsProp, no momentum": .rmsProp(decay: 0.9, momentum: 0, epsilon: 0.001)
    case "rmsPropTF": .rmsPropTF(decay: 0.9, momentum: 0.9, epsilon: 0.001)
    case "rmsPropTF, no momentum": .rmsPropTF(decay: 0.9, momentum: 0, epsilon: 0.001)
    default: preconditionFailure("no optimizer '\(name)'")
    }
  }
}

@Suite("optimizers", .serialized)
struct OptimizerTests {
  /// Of the shapes that `make.py` names.
  func network() throws -> Network {
    var network = Network("golden", input: [2, 3, 3])
    try network.append(.convolution(Convolution(to: 4, Window(kernel: 3))), to: network.output, named: "conv")
    try network.append(.batchNorm(BatchNorm()), to: network.output, named: "bn")
    try network.append(.flatten(Flatten()), to: network.output, named: "flatten")
    try network.append(.dense(Dense(to: 3)), to: network.output, named: "fc")
    return network
  }

  func start(_ network: Network, scale: Double) throws -> Weights {
    var weights = try network.initialWeights(seed: 1)
    for (k, parameter) in network.parameters.filter(\.rule.isTrainable).enumerated() {
      let values = (0..<parameter.rule.shape.elementCount).map { i -> Float in
        let angle: Double = 1.7 * Double(i) + Double(k) + 1
        return Float(scale * sin(angle))
      }
      weights[parameter.name] = try Tensor(values, shape: parameter.rule.shape)
    }
    return weights
  }

  @Test("five steps of each optimizer give the weights that PyTorch and timm give", arguments: OptimizerCase.file.cases)
  func golden(_ golden: OptimizerCase) throws {
    let network = try network()
    let plan = try engine.get().compile(network, batch: 1, mode: .training())
    try plan.load(start(network, scale: golden.scale))
    let segments = try ParameterSegments(of: plan, weightDecay: 0.05, decayed: DecayedParameters())
    let state = try OptimizerState(golden.optimizer, over: segments)
    let arenas = plan.arenas
    for step in 0..<OptimizerCase.file.steps {
      let factor = Float(1 + 0.5 * cos(Double(step)))
      for i in 0..<arenas.count {
        let w: Float = arenas.values[i]
        let square: Float = 0.3 * w * w
        arenas.gradients[i] = w * factor + square
      }
      let rate = golden.rate * (1 - Double(step) / 10)
      try plan.perform { _ in state.step(rate: rate) }
    }
    let weights = try plan.weights()
    for (name, expected) in golden.weights {
      let found = try #require(weights[name]).elements.map(Double.init)
      // Rounding in single precision.
      #expect(worstDifference(found, expected) < 1e-6, "\(name)")
    }
  }

  @Test("gradients are clipped to a norm as PyTorch does it, or to a value")
  func clipping() throws {
    let network = try network()
    let plan = try engine.get().compile(network, batch: 1, mode: .training())
    let segments = try ParameterSegments(of: plan, weightDecay: 0, decayed: .all)
    let arenas = plan.arenas
    func set() { for i in 0..<arenas.count { arenas.gradients[i] = Float(sin(Double(i))) } }
    func norm() -> Double {
      var sum = 0.0
      for i in 0..<arenas.count { sum += Double(arenas.gradients[i]) * Double(arenas.gradients[i]) }
      return sum.squareRoot()
    }
    // The padding of blocked layouts is no parameter.
    for i in 0..<arenas.count { arenas.gradients[i] = 0 }
    try plan.perform { _ in
      set()
      let before = norm()
      #expect(abs(segments.gradientNorm() - before) < 1e-9 * before)
      GradientClipping.norm(2 * before).apply(to: segments)
      #expect(norm() == before)
      GradientClipping.norm(0.5).apply(to: segments)
      #expect(abs(norm() - 0.5 * before / (before + 1e-6)) < 1e-6)
      set()
      GradientClipping.value(0.25).apply(to: segments)
      let isClipped = (0..<arenas.count).allSatisfy { i in
        let before = Float(sin(Double(i)))
        return arenas.gradients[i] == min(max(before, -0.25), 0.25)
      }
      #expect(isClipped)
    }
  }

  @Test("the common norm of gradients is the same for any number of threads", arguments: [1, 2, 3])
  func threads(_ threads: Int) throws {
    var network = Network("wide", input: [300])
    try network.append(.dense(Dense(to: 100)), to: network.output, named: "fc")
    let plan = try Engine(threads: threads).compile(network, batch: 1, mode: .training())
    let segments = try ParameterSegments(of: plan, weightDecay: 0, decayed: .all)
    let weight = try #require(plan.arenas.segments.first)
    let norm = try plan.perform { _ in
      for i in 0..<plan.arenas.count { plan.arenas.gradients[i] = 0 }
      for i in 0..<weight.count { plan.arenas.gradients[weight.offset + i] = Float(sin(Double(i))) }
      return segments.gradientNorm()
    }
    // In blocks of 4096, eight lanes each: the definition of the order.
    var sum = 0.0
    for from in stride(from: 0, to: weight.count, by: 4096) {
      var lanes = [Double](repeating: 0, count: 8)
      let count = min(4096, weight.count - from)
      for i in 0..<count {
        let x = Double(Float(sin(Double(from + i))))
        lanes[i < count / 8 * 8 ? i % 8 : 0] += x * x
      }
      sum += lanes.reduce(0, +)
    }
    #expect(norm == sum.squareRoot())
  }

  @Test("what decays is chosen by role, depthwise filters apart")
  func decayed() throws {
    var network = Network("roles", input: [4, 4, 4])
    try network.append(.convolution(Convolution(to: 4, Window(kernel: 3), groups: 4)), to: network.output, named: "dw")
    try network.append(.batchNorm(BatchNorm()), to: network.output, named: "bn")
    try network.append(.convolution(Convolution(to: 4, Window(kernel: 1), groups: 2)), to: network.output, named: "pw")
    try network.append(.flatten(Flatten()), to: network.output, named: "flatten")
    try network.append(.dense(Dense(to: 3)), to: network.output, named: "fc")
    let plan = try engine.get().compile(network, batch: 1, mode: .training())
    func names(_ decayed: DecayedParameters) throws -> Set<String> {
      try plan.load(network.initialWeights(seed: 1))
      for i in 0..<plan.arenas.count { plan.arenas.values[i] += 1 }
      let before = try plan.weights()
      let segments = try ParameterSegments(of: plan, weightDecay: 0.1, decayed: decayed)
      let state = try OptimizerState(.sgd(momentum: 0, nesterov: false), over: segments)
      for i in 0..<plan.arenas.count { plan.arenas.gradients[i] = 0 }
      try plan.perform { _ in state.step(rate: 1) }
      let after = try plan.weights()
      return Set(before.keys.filter { before[$0] != after[$0] })
    }
    #expect(try names(DecayedParameters()) == ["dw.weight", "pw.weight", "fc.weight"])
    #expect(try names(DecayedParameters(depthwise: false)) == ["pw.weight", "fc.weight"])
    #expect(try names(.all) == ["dw.weight", "bn.weight", "bn.bias", "pw.weight", "fc.weight", "fc.bias"])
    #expect(try names(DecayedParameters(weights: false, biases: true)) == ["dw.weight", "fc.bias"])
  }
}
