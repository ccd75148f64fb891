/// What can stop the kernel, an installation of it, or a conversion.
public enum JupyterError: Error, Hashable, Sendable {
  /// A connection file that cannot be used, in words.
  case connection(path: String, problem: String)
  /// A socket that cannot be opened: its address and the system's reason.
  case socket(address: String, reason: String)
  /// A notebook that is none, or holds what a script cannot, in words.
  case notebook(path: String, problem: String)
  /// A message that breaks the protocol, in words.
  case message(String)
}

extension JupyterError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .connection(let path, let problem): "'\(path)' is no connection file of Jupyter: \(problem)"
    case .socket(let address, let reason): "\(address) cannot be used: \(reason)"
    case .notebook(let path, let problem): "'\(path)' \(problem)"
    case .message(let problem): problem
    }
  }
}
