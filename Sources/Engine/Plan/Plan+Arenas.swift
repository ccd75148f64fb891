package import Networks
internal import Tensors

extension Plan {
  /// Running means and variances, and quantizers' ranges, in the plan's own layout.
  package var statistics: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.statistics.floats, count: memory.statistics.byteCount / 4)
  }

  /// How each parameter lies in the arenas, in their order: the same on processors whose kernels like the same layouts.
  package var parameterLayouts: [String] { parameters.map { "\($0.name) \($0.layout.form) \($0.offset)" } }

  /// Each running mean's, variance's and range's stretch of `statistics`, in floats.
  package var statisticSegments: [(name: String, rule: ParameterRule, offset: Int, count: Int)] {
    parameters.filter { !$0.rule.isTrainable }.map { ($0.name, $0.rule, $0.elementOffset, $0.elementCount) }
  }

  /// The arenas that optimizers and averages run over.
  package struct Arenas {
    package let values, gradients: UnsafeMutablePointer<Float>
    /// Floats.
    package let count: Int
    /// Each trainable parameter's stretch, and the last step that writes its gradient.
    package let segments: [(name: String, rule: ParameterRule, offset: Int, count: Int, gradientStep: Int)]
  }

  package var arenas: Arenas {
    let trainable = zip(parameters, gradientSteps).filter { $0.0.rule.isTrainable }
    return Arenas(
      values: memory.trainable.floats, gradients: memory.gradients.floats,
      count: trainable.reduce(0) { $0 + $1.0.elementCount },
      segments: trainable.map { ($0.name, $0.rule, $0.elementOffset, $0.elementCount, $1) })
  }
}
