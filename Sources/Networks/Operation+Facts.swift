/// An activation that kernels apply to what they are about to write, and that cuts levels of integers off.
public enum FusedActivation: Hashable, Sendable {
  case relu
  case clip(Clip)
}

/// What passes, plans and files ask of an operation. Each answer names every case, so that the compiler asks for it where
/// a new operation has none.
extension Operation {
  /// The activation that a step before it may take along; nil where no step does.
  public var fusedActivation: FusedActivation? {
    switch self {
    case .relu: .relu
    case .clip(let clip): .clip(clip)
    case .input, .convolution, .batchNorm, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .flatten, .dense, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention, .fakeQuantize:
      nil
    }
  }

  /// Whether kernels on integers take an activation behind it along, so that nothing is rounded in between.
  var takesActivation: Bool {
    switch self {
    case .convolution, .batchNorm, .add, .dense: true
    case .input, .relu, .clip, .sigmoid, .tanh, .concatenation, .maxPool, .averagePool, .globalAveragePool, .flatten,
      .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention, .fakeQuantize:
      false
    }
  }

  /// Whether every number that it gives is one that it got; 0 aside.
  public var passesNumbersOn: Bool {
    switch self {
    case .maxPool, .flatten, .dropout, .dropPath: true
    case .input, .convolution, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .averagePool,
      .globalAveragePool, .dense, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale, .attention, .fakeQuantize:
      false
    }
  }

  /// Whether each number that it gives follows from the one at the same place, and not from the place, so that the order
  /// of the numbers is of no matter.
  public var isElementwise: Bool {
    switch self {
    case .relu, .clip, .sigmoid, .tanh, .gelu, .dropout, .dropPath, .fakeQuantize: true
    case .input, .convolution, .batchNorm, .add, .concatenation, .maxPool, .averagePool, .globalAveragePool, .flatten,
      .dense, .layerNorm, .tokens, .tokenMean, .layerScale, .attention:
      false
    }
  }

  /// How its weights are rounded; nil where they are not, or there are none.
  public var weightQuantization: WeightQuantization? {
    switch self {
    case .convolution(let rules): rules.weightQuantization
    case .dense(let rules): rules.weightQuantization
    case .input, .batchNorm, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .flatten, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention, .fakeQuantize:
      nil
    }
  }

  /// How much of the statistics that it gathers a step of training leaves, as a share; nil where it gathers none.
  public var statisticKeep: Double? {
    switch self {
    case .batchNorm(let rules): 1 - Double(rules.momentum)
    case .fakeQuantize(let rules): 1 - Double(1 - rules.decay)
    case .input, .convolution, .relu, .clip, .sigmoid, .tanh, .add, .concatenation, .maxPool, .averagePool,
      .globalAveragePool, .flatten, .dense, .dropout, .dropPath, .layerNorm, .gelu, .tokens, .tokenMean, .layerScale,
      .attention:
      nil
    }
  }
}
