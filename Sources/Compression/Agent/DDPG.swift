package import Networks
internal import Tensors

/// Deep deterministic policy gradient: an actor answers a state with an action, a critic tells what the action is
/// worth, and the actor climbs the critic's gradient.
///
/// Source: Lillicrap et al. 2015 (arXiv:1509.02971), Algorithm 1. Both networks run on the engine that trains
/// classifiers; `DDPGAgent` is the algorithm.
public enum DDPG {
  /// A step that was made: what the critic learns from.
  public struct Transition: Hashable, Sendable, Codable {
    public var state: [Float]
    public var action: Float
    public var reward: Float
    /// The state after the step; of no meaning, but of the same size, where the step is terminal.
    public var next: [Float]
    /// Whether the episode ended here by its own rules, so that nothing is to be had after it. An episode that was only
    /// cut short is not terminal.
    public var isTerminal: Bool

    public init(state: [Float], action: Float, reward: Float, next: [Float], isTerminal: Bool) {
      (self.state, self.action, self.reward, self.next, self.isTerminal) = (state, action, reward, next, isTerminal)
    }
  }

  /// The actor: hidden layers, then a sigmoid, whose 0 to 1 stand for the lowest and the highest action.
  ///
  /// Source: AMC and PocketFlow, whose actors end so too.
  package static func actor(stateSize: Int, _ settings: Settings) throws(ShapeError) -> Network {
    var network = Network("actor", input: [stateSize], initialization: settings.initialWeights.rule)
    try network.appendHiddenLayers(settings)
    try network.append(
      .sigmoid(Sigmoid()), to: network.append(.dense(Dense(to: 1)), to: network.output, named: "output"))
    return network
  }

  /// The critic: the state and the action after it in one vector, hidden layers, one number.
  ///
  /// AMC's critic begins with `fc11(state) + fc12(action)`, two dense layers that are summed. That is one dense layer
  /// on the two joined, but for the second bias, which adds nothing. PocketFlow's has one more hidden layer on the
  /// state alone, before the action joins; here it has not.
  package static func critic(stateSize: Int, _ settings: Settings) throws(ShapeError) -> Network {
    var network = Network("critic", input: [stateSize + 1], initialization: settings.initialWeights.rule)
    try network.appendHiddenLayers(settings)
    try network.append(.dense(Dense(to: 1)), to: network.output, named: "output")
    return network
  }
}

extension Network {
  /// Dense layers, each with its layer norm where the settings have them, and a ReLU. As in PocketFlow, but for
  /// the ε of the norms, which is PyTorch's.
  fileprivate mutating func appendHiddenLayers(_ settings: DDPG.Settings) throws(ShapeError) {
    for (i, size) in settings.hiddenSizes.enumerated() {
      try append(.dense(Dense(to: size)), to: output, named: "hidden\(i + 1)")
      if settings.hasLayerNorm { try append(.layerNorm(LayerNorm()), to: output, named: "norm\(i + 1)") }
      try append(.relu(ReLU()), to: output, named: "relu\(i + 1)")
    }
  }
}

extension DDPG.InitialWeights {
  fileprivate var rule: Initialization {
    switch self {
    case .uniformFanIn: Initialization(dense: .uniformFanIn, biasesAreZero: false)
    case .glorotUniform: Initialization(dense: .glorotUniform, biasesAreZero: true)
    }
  }
}
