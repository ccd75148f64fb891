internal import Dispatch
public import Tensors

/// How weights start. The default is torchvision's for its ResNets.
public struct Initialization: Hashable, Sendable {
  public enum Distribution: Hashable, Sendable {
    /// N(0, 2 / fan out), where fan out is output channels / groups · kernel area (He et al. 2015, arXiv:1502.01852).
    case kaimingFanOut
    /// N(0, 2 / fan in).
    case kaimingFanIn
    /// U(−√(6 / (fan in + fan out)), +…) (Glorot and Bengio 2010, eq. 16).
    case glorotUniform
    /// U(−1/√fan in, 1/√fan in): what PyTorch does unless asked.
    case uniformFanIn
    /// N(0, std²).
    case normal(std: Float)
  }
  public var convolution: Distribution
  public var dense: Distribution
  /// Biases of dense layers and convolutions: zero, or U(±1/√fan in) as PyTorch does unless asked.
  public var biasesAreZero: Bool
  /// Batch norms whose γ starts at 0, so that a residual block starts as its shortcut; by layer name.
  public var zeroScales: Set<String>

  public init(
    convolution: Distribution = .kaimingFanOut, dense: Distribution = .uniformFanIn, biasesAreZero: Bool = false,
    zeroScales: Set<String> = []
  ) {
    (self.convolution, self.dense, self.biasesAreZero, self.zeroScales) =
      (convolution, dense, biasesAreZero, zeroScales)
  }
}

extension Network {
  /// The weights that training starts from. Each parameter has a stream of its own, so one more layer moves only
  /// those after it.
  /// - Parameter initialization: the network's own unless given.
  /// - Throws: `TensorError.outOfMemory`.
  public func initialWeights(
    seed: UInt64, _ initialization: Initialization? = nil
  ) throws(TensorError) -> Weights {
    let initialization = initialization ?? self.initialization
    var weights = Weights()
    var position = 0
    for node in nodes {
      let layer = self[node]
      let inputs = inputShapes(of: node)
      for (name, rule) in parameters(of: node) {
        let key = RandomKey(seed: seed, for: .initialization, sample: position)
        position += 1
        var tensor = try Tensor(zeros: rule.shape)
        switch rule.role {
        case .weight:
          let isDense = if case .dense = layer.operation { true } else { false }
          let area = rule.shape.extents.dropFirst(2).reduce(1, *)
          let groups = if case .convolution(let convolution) = layer.operation { convolution.groups } else { 1 }
          (isDense ? initialization.dense : initialization.convolution).fill(
            &tensor, fanIn: rule.shape[1] * area, fanOut: rule.shape[0] / groups * area, from: key)
        case .bias:
          if !initialization.biasesAreZero {
            let fanIn = layer.operation.rules.parameters(of: inputs)[0].shape.sample.elementCount
            Initialization.Distribution.uniformFanIn.fill(&tensor, fanIn: fanIn, fanOut: 0, from: key)
          }
        case .scale:
          if !initialization.zeroScales.contains(layer.name) {
            let start: Float = if case .layerScale(let rules) = layer.operation { rules.start } else { 1 }
            tensor.withUnsafeMutableElements { $0.update(repeating: start) }
          }
        case .runningVariance: tensor.withUnsafeMutableElements { $0.update(repeating: 1) }
        case .rangeLow, .rangeHigh: tensor = rule.rangeStart ?? tensor
        case .shift, .runningMean: break
        }
        weights[name] = tensor
      }
    }
    return weights
  }
}

extension Initialization.Distribution {
  /// Fills a tensor from the key's stream, all cores at once: where an element's draws lie in it follows from its place.
  fileprivate func fill(_ tensor: inout Tensor, fanIn: Int, fanOut: Int, from key: RandomKey) {
    /// - Parameter each: how many elements a block of the generator serves.
    func draw(each: Int, _ element: @Sendable (inout Philox) -> Float) {
      tensor.withUnsafeMutableElements { elements in
        let (count, share) = (elements.count, 1 << 16)
        nonisolated(unsafe) let elements = elements
        DispatchQueue.concurrentPerform(iterations: (count + share - 1) / share) { part in
          var random = Philox(key, fromBlock: UInt32(truncatingIfNeeded: part * share / each))
          for i in part * share..<min(count, (part + 1) * share) { elements[i] = element(&random) }
        }
      }
    }
    func normal(_ variance: Double) {
      let std = variance.squareRoot()
      draw(each: 1) { Float($0.normal() * std) }
    }
    func uniform(_ bound: Double) { draw(each: 2) { Float((2 * $0.uniformDouble() - 1) * bound) } }
    switch self {
    case .kaimingFanOut: normal(2 / Double(fanOut))
    case .kaimingFanIn: normal(2 / Double(fanIn))
    case .glorotUniform: uniform((6 / Double(fanIn + fanOut)).squareRoot())
    case .uniformFanIn: uniform(1 / Double(fanIn).squareRoot())
    case .normal(let std): normal(Double(std) * Double(std))
    }
  }
}
