internal import Datasets
internal import Distribution
internal import Engine
internal import Networks
internal import Tensors

/// Measures batch norms' statistics with weights that no longer change: the mean and variance of all pixels of some
/// batches, where running statistics remember older weights. Quantizers keep the ranges that the weights come with.
///
/// Source: Wu and Johnson 2021, "Rethinking Batch in BatchNorm" (arXiv:2105.07576), section 3; the variance is that of the
/// population, as fvcore's `update_bn_stats` has it.
struct PreciseBatchNorm {
  /// A training plan.
  let plan: Plan
  /// Who shares the batches.
  let communicator: Communicator
  /// Whether each batch's statistics are those of all processes' samples already.
  let isSynchronized: Bool

  /// The weights with the statistics of the batches that are given; as they are where there is none.
  /// - Parameter next: fills the plan's input; false where there is no more.
  func callAsFunction(_ weights: Weights, _ next: () throws(TrainingError) -> Bool) throws(TrainingError) -> Weights {
    let network = plan.network
    var norms: [(mean: String, variance: String, rules: BatchNorm, count: Double)] = []
    let samples = plan.batch * (isSynchronized ? communicator.size : 1)
    for node in network.nodes {
      guard case .batchNorm(let rules) = network[node].operation else { continue }
      let names = network.parameters(of: node)
      func name(_ role: ParameterRule.Role) -> String { names.first { $0.rule.role == role }!.name }
      let shape = network.shape(of: node)
      norms.append((name(.runningMean), name(.runningVariance), rules, Double(samples * shape[1] * shape[2])))
    }
    var sums: [String: [Double]] = [:]
    var batches = 0.0
    try Training.engine { () throws(EngineError) in try plan.load(weights) }
    plan.freezesBatchNorm = false
    // From zero, the running statistics are the batch's times the momentum. A variance that weights are rounded with
    // must stay while they are, so what is left of it is taken away afterwards.
    let isRounded = network.nodes.contains { network.weightQuantization(of: $0) != nil }
    let start = Array(plan.statistics)
    let zeroed = plan.statisticSegments.filter {
      $0.rule.role == .runningMean || $0.rule.role == .runningVariance && !isRounded
    }
    while try next() {
      let measured = try Training.engine { () throws(EngineError) in
        _ = plan.statistics.update(fromContentsOf: start)
        for segment in zeroed {
          plan.statistics[segment.offset..<segment.offset + segment.count].update(repeating: 0)
        }
        try plan.forward()
        return try plan.weights()
      }
      for norm in norms {
        let (mean, variance) = (measured[norm.mean]!.elements, measured[norm.variance]!.elements)
        let momentum = Double(norm.rules.momentum)
        let before = isRounded ? weights[norm.variance]!.elements : Array(repeating: 0, count: mean.count)
        var (first, second) = (
          sums[norm.mean] ?? Array(repeating: 0, count: mean.count),
          sums[norm.variance] ?? Array(repeating: 0, count: mean.count)
        )
        for c in mean.indices {
          let own = Double(mean[c]) / momentum
          let unbiased = (Double(variance[c]) - (1 - momentum) * Double(before[c])) / momentum
          let biased = unbiased * (norm.count - 1) / norm.count
          first[c] += own
          second[c] += biased + own * own
        }
        (sums[norm.mean], sums[norm.variance]) = (first, second)
      }
      batches += 1
    }
    if !communicator.isAlone, !isSynchronized {
      var counts = [batches]
      communicator.sum(&counts)
      batches = counts[0]
      for name in norms.flatMap({ [$0.mean, $0.variance] }) {
        let count = weights[name]!.shape.elementCount
        var own = sums[name] ?? Array(repeating: 0, count: count)
        communicator.sum(&own)
        sums[name] = own
      }
    }
    guard batches > 0 else { return weights }
    var result = weights
    for norm in norms {
      let means = sums[norm.mean]!.map { $0 / batches }
      let squares = sums[norm.variance]!.map { $0 / batches }
      result[norm.mean]!.withUnsafeMutableElements { for c in $0.indices { $0[c] = Float(means[c]) } }
      result[norm.variance]!.withUnsafeMutableElements {
        for c in $0.indices { $0[c] = Float(max(squares[c] - means[c] * means[c], 0)) }
      }
    }
    return result
  }
}
