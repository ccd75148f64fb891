internal import Tensors

extension Network {
  /// What its numbers take in a file, in bytes. Rounded weights count with their bits, batch norms are folded into them,
  /// and each output channel adds a bias and a scale of 32 bits; all else takes 32 bits a number, running statistics too.
  public var storedByteCount: Int {
    guard isQuantized, let folded = try? FoldBatchNorm()(self, [:]).0 else {
      return parameters.reduce(0) { $0 + 4 * $1.rule.shape.elementCount }
    }
    return folded.nodes.reduce(0) { sum, node in
      let rounding = folded.weightQuantization(of: node)
      return folded.parameters(of: node).reduce(sum) { sum, parameter in
        let count = parameter.rule.shape.elementCount
        guard let rounding, parameter.rule.role == .weight else { return sum + 4 * count }
        return sum + (count * rounding.bits + 7) / 8 + 4 * (rounding.isPerChannel ? parameter.rule.shape[0] : 1)
      }
    }
  }
}
