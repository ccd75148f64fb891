public import Engine
public import Tensors

/// What can stop an agent.
public enum AgentError: Error, Hashable, Sendable {
  /// A setting out of its range, in words.
  case settings(String)
  case engine(EngineError)
  case memory(TensorError)
  /// Numbers of a state.
  case stateSize(expected: Int, found: Int)
  /// A state, a transition or its reward holds what is no number.
  case notFinite
  /// Something was asked that belongs to an episode, before the first was begun.
  case noEpisode
  /// A gradient, or the actor's answer, is not finite after so many updates.
  case diverged(updates: Int)
}

extension AgentError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .settings(let problem): problem
    case .engine(let error): error.description
    case .memory(let error): "\(error)"
    case .stateSize(let expected, let found): "a state has \(expected) numbers here, \(found) were given"
    case .notFinite: "a state, an action or a reward is not finite"
    case .noEpisode: "no episode was begun"
    case .diverged(let updates): "the agent diverged after \(updates) updates"
    }
  }
}

extension AgentError {
  /// Runs engine work as agents do.
  static func wrapping<Result>(_ work: () throws(EngineError) -> Result) throws(AgentError) -> Result {
    do { return try work() } catch { throw .engine(error) }
  }
}
